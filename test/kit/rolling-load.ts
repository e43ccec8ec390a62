import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "./installation-wait.ts";
import type { NewEvent } from "./sdk-client.ts";

/** Pause between two requests of a client, ms. */
const PAUSE_MS = 25;

/** Clients that go on, each with one request after the other, until they are told to end. */
export class RollingLoad {
  /** Ids of all events that were handed to a client, and so are to be stored. */
  readonly sent: string[] = [];
  /** What was seen by applications: requests that failed after all retries. */
  readonly failed: string[] = [];
  readonly #done = new Map<string, number>();
  readonly #running: Promise<void>[] = [];
  #ended = false;

  /** A client that sends events. @param send throws when it gives up. */
  sender(name: string, send: (events: readonly NewEvent[]) => Promise<void>): void {
    this.client(name, async (at) => {
      const events = Array.from({ length: 5 }, (_, index) => {
        return { name: "page_view", eventId: `${name} ${at} ${index}`, visitorId: name, sessionId: name };
      });
      this.sent.push(...events.map(({ eventId }) => eventId));
      await send(events);
    });
  }

  /** A client of any kind. @param call one request, with its number; throws when it gives up. */
  client(name: string, call: (at: number) => Promise<unknown>): void {
    this.#done.set(name, 0);
    this.#running.push(this.#run(name, call));
  }

  /** Waits until every client has had some more answers, to requests of this moment or later. */
  async flows(): Promise<void> {
    const before = new Map(this.#done);
    const goOn = () => [...this.#done].every(([name, count]) => count >= before.get(name)! + 5);
    await waitFor("answers to every client", goOn, 120_000);
  }

  /** No new requests; resolves when those under way are answered. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#running);
  }

  async #run(name: string, call: (at: number) => Promise<unknown>): Promise<void> {
    for (let at = 0; !this.#ended; at++) {
      await call(at).catch((error: unknown) => this.failed.push(`${name}, request ${at}: ${String(error)}`));
      this.#done.set(name, at + 1);
      await sleep(PAUSE_MS);
    }
  }
}
