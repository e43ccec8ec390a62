import type { Pool } from "../store/pool.ts";
import { refreshStale } from "../store/refresh.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AggregateMetrics } from "./metrics.ts";

export interface RefresherDeps {
  readonly pool: Pool;
  readonly metrics: AggregateMetrics;
  readonly log: Logger;
  /** Shortest pause between two refreshes, ms. */
  readonly intervalMs: number;
}

/** Refreshes the continuous aggregates after commits, one refresh at a time, for as long as the program runs. */
export class Refresher {
  readonly #deps: RefresherDeps;
  #wake = Promise.withResolvers<void>();

  constructor(deps: RefresherDeps) {
    this.#deps = deps;
  }

  /** Tells that something was committed. */
  committed(): void {
    this.#wake.resolve();
  }

  /** Runs until the signal is aborted. A refresh that fails is tried again: what is stale stays written down. */
  async run(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    // The first refresh needs no commit: a former run may have left stale buckets.
    while (!signal.aborted) {
      await this.#refresh();
      await Promise.race([pause(this.#deps.intervalMs), stopped]);
      await Promise.race([this.#wake.promise, stopped]);
      this.#wake = Promise.withResolvers();
    }
    await this.#refresh();
  }

  async #refresh(): Promise<void> {
    const done = this.#deps.metrics.refresh.startTimer();
    try {
      await refreshStale(this.#deps.pool);
      done();
    } catch (error) {
      this.#deps.log.warn({ err: error }, "refresh failed, will be tried again");
      this.#wake.resolve();
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
