import type { Pool } from "../store/pool.ts";
import { ROLLUPS_LEAD_MS, type RollupStarts, readRollupStarts } from "../store/rollups.ts";

/** How long the list is used before it is read again, ms: far less than the lead that a merchant joins with. */
const FRESH_MS = ROLLUPS_LEAD_MS / 120;

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
    if (now - this.#since > FRESH_MS) {
      this.#starts = await readRollupStarts(this.#pool);
      this.#since = now;
    }
    return this.#starts;
  }
}
