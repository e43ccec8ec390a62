import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/** What pg's clients and connections have, and its types do not tell. */
interface Session {
  readonly host: string;
  readonly port: number;
  readonly ssl: unknown;
  readonly processID: number | null;
  readonly secretKey: number | null;
}
interface Wire {
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
  readonly stream: { destroy(): void };
}

/** Longest time for one request to cancel, ms. */
const REQUEST_MS = 1_000;
/** Pause before it is asked again, ms: the first may have come between two statements. */
const AGAIN_MS = 250;
/** How long a server may go on with a statement that is cancelled, ms. */
const PATIENCE_MS = 3_000;

/**
 * Sends a CancelRequest, which goes over a connection of its own. Resolves when the server has closed it, by when the
 * statement was told to end; also where that could not be had.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
function requestCancel(client: pg.ClientBase): Promise<void> {
  const { host, port, ssl, processID, secretKey } = client as unknown as Session;
  if (processID === null || secretKey === null) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const connection = new pg.Connection({ ssl: ssl as never });
  const wire = connection as unknown as Wire;
  const cancel = () => wire.cancel(processID, secretKey);
  connection.on("connect", () => (ssl ? wire.requestSsl() : cancel()));
  connection.on("sslconnect", cancel);
  connection.on("error", () => resolve());
  connection.on("end", () => resolve());
  const timer = setTimeout(resolve, REQUEST_MS);
  if (host.startsWith("/")) wire.connect(`${host}/.s.PGSQL.${port}`);
  else wire.connect(port, host);
  return promise.finally(() => {
    clearTimeout(timer);
    wire.stream.destroy();
  });
}

/** Watches over a connection in use. */
export interface CancelWatch {
  /** Ends the watch: no cancellation is on its way any more. @returns whether any was asked for. */
  stop(): Promise<boolean>;
}

/**
 * From when the signal is aborted, asks the server to end what runs on a connection, until the watch is stopped. Of a
 * server that does not, the connection is cut.
 */
export function cancelWhenAborted(client: pg.ClientBase, signal: AbortSignal, cut: () => void): CancelWatch {
  const stopped = new AbortController();
  let cancelling: Promise<void> | undefined;
  const cancel = async () => {
    const until = performance.now() + PATIENCE_MS;
    while (!stopped.signal.aborted) {
      if (performance.now() > until) return cut();
      await requestCancel(client);
      await sleep(AGAIN_MS, undefined, { signal: stopped.signal }).catch(() => {});
    }
  };
  const onAbort = () => {
    cancelling = cancel();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    async stop() {
      signal.removeEventListener("abort", onAbort);
      stopped.abort();
      await cancelling;
      return cancelling !== undefined;
    },
  };
}
