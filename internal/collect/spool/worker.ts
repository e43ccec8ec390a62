import { parentPort, workerData } from "node:worker_threads";
import { Failure, type FailureKind } from "../../failure/failure.ts";
import {
  type Change,
  type HeldBack,
  type Read,
  type ReadOptions,
  SpoolStore,
  type StoreOptions,
  type Totals,
} from "./store.ts";

/** What the spool asks of its thread, one at a time. */
export type Ask =
  | ({ readonly op: "apply" } & Change)
  | ({ readonly op: "read" } & ReadOptions)
  | { readonly op: "heldBack" }
  /** Leaves nothing in the files of an empty spool. */
  | { readonly op: "clear" }
  | { readonly op: "close" };

interface Done {
  /** Of what was put in. */
  readonly positions?: readonly number[];
  readonly read?: Read;
  readonly heldBack?: readonly HeldBack[];
  /** Of the spool; with the first answer. */
  readonly id?: Uint8Array;
}

/** The answer; the first one comes unasked, when the file is open. */
export type Answer =
  | (Done & { readonly totals: Totals })
  | { readonly error: { readonly kind: FailureKind; readonly message: string } };

/** The spool's thread: an fsync blocks it, and nothing else. */
function serve(port: NonNullable<typeof parentPort>): void {
  let store: SpoolStore;
  const answer = (work: () => Done) => {
    try {
      const done = work();
      const buffers = (done.read?.batches ?? []).map(({ bytes }) => bytes.buffer as ArrayBuffer);
      port.postMessage({ ...done, totals: store.totals } satisfies Answer, buffers);
    } catch (error) {
      const { message } = error as Error;
      const kind = error instanceof Failure ? error.kind : "unavailable";
      port.postMessage({ error: { kind, message } } satisfies Answer);
    }
  };
  answer(() => {
    store = new SpoolStore(workerData as StoreOptions);
    return { id: store.id };
  });
  port.on("message", (ask: Ask) => {
    if (ask.op === "apply") answer(() => ({ positions: store.apply(ask) }));
    else if (ask.op === "read") answer(() => ({ read: store.read(ask) }));
    else if (ask.op === "heldBack") answer(() => ({ heldBack: store.heldBack() }));
    else if (ask.op === "clear") {
      answer(() => {
        store.clear();
        return {};
      });
    } else {
      store.close();
      port.close();
    }
  });
}

if (parentPort !== null) serve(parentPort);
