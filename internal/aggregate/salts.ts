import type { Pool } from "../store/pool.ts";
import { destroyOldSalts, visitorSalts } from "../store/visitor-salts.ts";
import type { Logger } from "../telemetry/logger.ts";

/** How often salts whose time is over are looked for, ms. */
const SWEEP_MS = 600_000;

interface Held {
  readonly salt: Uint8Array;
  /** By performance.now, which no change of the clock moves. */
  readonly until: number;
}

/**
 * The salts of days, shared by all aggregators of the installation through the database, and forgotten here when
 * they are destroyed there. A day whose salt is destroyed and that is asked for again, by a replay or after a long
 * outage, gets a new one: its visitors are told apart as before, and have nothing in common with rows stored then.
 */
export class Salts {
  readonly #pool: Pool;
  readonly #held = new Map<number, Held>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The salts of some UTC days (days since 1970-01-01). */
  async of(days: ReadonlySet<number>): Promise<ReadonlyMap<number, Uint8Array>> {
    this.#forget();
    const missing = [...days].filter((day) => !this.#held.has(day));
    if (missing.length > 0) {
      const asked = performance.now();
      for (const { day, salt, leftMs } of await visitorSalts(this.#pool, missing)) {
        this.#held.set(day, { salt, until: asked + leftMs });
      }
    }
    const salts = new Map<number, Uint8Array>();
    for (const day of days) {
      const held = this.#held.get(day);
      if (held !== undefined) salts.set(day, held.salt);
    }
    return salts;
  }

  /** Destroys salts whose time is over, now and from time to time, until the signal is aborted. */
  sweep(signal: AbortSignal, log: Logger): void {
    const destroy = () => {
      this.#forget();
      destroyOldSalts(this.#pool).catch((error: unknown) => {
        if (!signal.aborted) log.warn({ err: error }, "old salts are not destroyed yet, will be tried again");
      });
    };
    destroy();
    const timer = setInterval(destroy, SWEEP_MS);
    timer.unref();
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  #forget(): void {
    const now = performance.now();
    for (const [day, { until }] of this.#held) if (until <= now) this.#held.delete(day);
  }
}
