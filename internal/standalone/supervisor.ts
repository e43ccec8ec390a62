import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "../embedded/child.ts";

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

/** Shortest and longest pause before a part that died is started again, ms. */
const BACKOFF_MS = { first: 100, longest: 5_000 };

/** A part that lived this long is no crash loop, ms. */
const STABLE_MS = 30_000;

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
    let child: Child | undefined = first;
    let wait = BACKOFF_MS.first;
    while (child !== undefined) {
      const began = performance.now();
      const exitCode = await child.exited;
      this.#running.delete(part.name);
      if (signal.aborted) return;
      this.#events.died?.(part.name, exitCode);
      if (performance.now() - began > STABLE_MS) wait = BACKOFF_MS.first;
      child = await this.#restart(part, wait);
      wait = Math.min(wait * 2, BACKOFF_MS.longest);
    }
  }

  async #restart(part: Part, firstWait: number): Promise<Child | undefined> {
    const { signal } = this.#stopping;
    let wait = firstWait;
    while (!signal.aborted) {
      await sleep(wait, undefined, { signal }).catch(() => {});
      if (signal.aborted) return undefined;
      try {
        const child = await this.#start(part);
        // Told to stop while it was starting: nobody else would stop it.
        if (signal.aborted) await child.stop();
        return child;
      } catch (error) {
        this.#events.failed?.(part.name, error);
        wait = Math.min(wait * 2, BACKOFF_MS.longest);
      }
    }
    return undefined;
  }
}
