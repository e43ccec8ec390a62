import { findCurrencies } from "../store/merchants.ts";
import type { Pool } from "../store/pool.ts";

/** The merchants' currencies, read once: a merchant's currency never changes. */
export class Currencies {
  readonly #pool: Pool;
  readonly #known = new Map<number, string>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The currencies of some merchants, and maybe of more. */
  async of(merchantIds: ReadonlySet<number>): Promise<ReadonlyMap<number, string>> {
    const missing = [...merchantIds].filter((id) => !this.#known.has(id));
    if (missing.length > 0) {
      for (const [id, currency] of await findCurrencies(this.#pool, missing)) this.#known.set(id, currency);
    }
    return this.#known;
  }
}
