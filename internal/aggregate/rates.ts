import { type CurrencyDay, findRates } from "../store/currency-rates.ts";
import type { Pool } from "../store/pool.ts";

/** How long a rate is remembered, and so how soon one that was loaded is used, ms. */
const FRESH_MS = 60_000;
const CAPACITY = 10_000;

const EURO = "EUR";

/** Currency rates of days, read when orders need them. */
export class Rates {
  readonly #pool: Pool;
  #known = new Map<string, number | undefined>();
  #since = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The rates that are needed, for `rate` of the steps' context. */
  async of(needs: readonly CurrencyDay[]): Promise<(currency: string, day: number) => number | undefined> {
    if (Date.now() - this.#since > FRESH_MS || this.#known.size > CAPACITY) {
      this.#known = new Map();
      this.#since = Date.now();
    }
    const known = this.#known;
    const missing = new Map<string, CurrencyDay>();
    for (const need of needs) {
      const key = keyOf(need.currency, need.day);
      if (need.currency !== EURO && !known.has(key)) missing.set(key, need);
    }
    if (missing.size > 0) {
      const found = await findRates(this.#pool, [...missing.values()]);
      for (const [at, key] of [...missing.keys()].entries()) known.set(key, found[at]);
    }
    return (currency, day) => (currency === EURO ? 1 : known.get(keyOf(currency, day)));
  }
}

function keyOf(currency: string, day: number): string {
  return `${currency} ${day}`;
}
