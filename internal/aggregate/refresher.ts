import { setTimeout as sleep } from "node:timers/promises";
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

/**
 * A refresh works a whole bucket over, however little of it is new; under load, refreshing without a pause
 * would take a core to itself. After each refresh it rests for this many times as long as the refresh took.
 * Reports do not wait for it: they count stale buckets from the rows.
 */
const REST = 4;

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
    signal.addEventListener("abort", () => this.#wake.resolve(), { once: true });
    // The first refresh needs no commit: a former run may have left stale buckets.
    while (!signal.aborted) {
      const started = performance.now();
      await this.#refresh();
      const rest = Math.max(this.#deps.intervalMs, REST * (performance.now() - started));
      await sleep(rest, undefined, { signal }).catch(() => {});
      await this.#wake.promise;
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
