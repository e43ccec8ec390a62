import type { Child } from "../embedded/child.ts";
import { withRetry } from "../lifecycle/retry.ts";

/** A process that the supervisor keeps running. */
export interface Part {
  readonly name: string;
  /** Starts it, on the same ports each time, and resolves when it is ready. */
  start(): Promise<Child>;
}

export interface SupervisorEvents {
  started?(name: string, milliseconds: number): void;
  /** It ended without having been told to, and will be started again. */
  died?(name: string, exitCode: number | null): void;
  /** It could not be started, and will be tried again. */
  failed?(name: string, error: unknown): void;
}

/** How a part that died is started again. One that lived for a while is in no crash loop. */
const START_AGAIN = { firstMs: 100, longestMs: 5_000, stableMs: 30_000 };

/** Keeps processes running: one that dies is started again. Stops them in the reverse order of their start. */
export class Supervisor {
  readonly #events: SupervisorEvents;
  readonly #running = new Map<string, Child>();
  readonly #watches = new Map<string, Promise<void>>();
  readonly #order: string[] = [];
  readonly #stopping = new AbortController();

  constructor(events: SupervisorEvents = {}) {
    this.#events = events;
  }

  /** Starts a part and keeps it running from then on. @throws when its first start fails, or stop() came first. */
  async add(part: Part): Promise<void> {
    const child = await this.#start(part);
    if (this.#stopping.signal.aborted) {
      // stop() did not know of it yet.
      await child.stop();
      throw new Error(`${part.name}: told to stop while it was starting`);
    }
    this.#order.push(part.name);
    this.#watches.set(part.name, this.#watch(part, child));
  }

  /** The process id of a part, or undefined while it is being started again. */
  pid(name: string): number | undefined {
    return this.#running.get(name)?.pid;
  }

  /** Stops all parts, the last one started first. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const name of this.#order.toReversed()) {
      await this.#running.get(name)?.stop();
      await this.#watches.get(name);
    }
  }

  async #start(part: Part): Promise<Child> {
    const began = performance.now();
    const child = await part.start();
    this.#running.set(part.name, child);
    this.#events.started?.(part.name, performance.now() - began);
    return child;
  }

  async #watch(part: Part, first: Child): Promise<void> {
    const { signal } = this.#stopping;
    let started: Child | undefined = first;
    const live = async () => {
      const child = started ?? (await this.#startAgain(part));
      started = undefined;
      // Told to stop while it was starting: nobody else would stop it.
      if (signal.aborted) await child.stop();
      const exitCode = await child.exited;
      this.#running.delete(part.name);
      if (signal.aborted) return;
      this.#events.died?.(part.name, exitCode);
      throw new Error(`${part.name} died`);
    };
    await withRetry(live, { ...START_AGAIN, signal }).catch(() => {});
  }

  async #startAgain(part: Part): Promise<Child> {
    try {
      return await this.#start(part);
    } catch (error) {
      this.#events.failed?.(part.name, error);
      throw error;
    }
  }
}
