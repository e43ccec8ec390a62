import type { Pool } from "../store/pool.ts";
import { ROLLUPS_FRESH_MS, type RollupStarts, readRollupStarts } from "../store/rollups.ts";

/** Which merchants have rollups, read when batches need it. */
export class Rollups {
  readonly #pool: Pool;
  #starts: RollupStarts = new Map();
  #since = Number.NEGATIVE_INFINITY;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** @throws what the database says: marks made from an old list would leave rows out of the rollups. */
  async starts(): Promise<RollupStarts> {
    const now = performance.now();
    if (now - this.#since > ROLLUPS_FRESH_MS) {
      this.#starts = await readRollupStarts(this.#pool);
      this.#since = now;
    }
    return this.#starts;
  }
}
