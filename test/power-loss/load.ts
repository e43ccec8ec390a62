import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Part } from "./part.ts";

/** Events on their way at a time. */
const SENDERS = 16;
/** Pause after an event that was not acked, ms. */
const PAUSE_MS = 20;

/** Events that go on until they are told to end. */
export class Load {
  /** Ids of the events that were acked. */
  readonly acked = new Set<string>();
  readonly #end = new AbortController();
  readonly #senders: Promise<void>[];

  constructor(part: Pick<Part, "send">) {
    this.#senders = Array.from({ length: SENDERS }, () => this.#send(part));
  }

  /** No new events; resolves when the fate of those under way is known. */
  async end(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#senders);
  }

  async #send(part: Pick<Part, "send">): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const id = randomUUID();
      try {
        await part.send(id);
        this.acked.add(id);
      } catch {
        // Not acked: it may be there or not.
        await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
      }
    }
  }
}
