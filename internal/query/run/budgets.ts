import { LRUCache } from "lru-cache";
import { Failure } from "../../failure/failure.ts";

/** In which time a budget that is spent is full again, ms. */
const REFILL_MS = 3_600_000;

/** Who has spent all waits until so much of the budget is there again. */
const LEAST_SHARE = 0.01;

/** Merchants who have spent something of late; of more, those who asked longest ago are forgotten. */
const MOST_MERCHANTS = 1_000_000;

/**
 * Merchants' budgets of cost units, one of which is a millisecond of the database's time. What a question costs is known
 * when it is answered: a budget may be overdrawn, and nothing is worked on then until that is made up for. It flows back
 * evenly, all of it within an hour. rate-limiter-flexible, which was looked at, gives all back at once when an hour is over.
 */
export class Budgets {
  readonly #units: number;
  /** When a merchant's budget is full, ms since 1970-01-01 UTC: how far that is off tells what is missing. */
  readonly #fullTimes = new LRUCache<number, number>({ max: MOST_MERCHANTS });

  /** @param units of each merchant, above 0. */
  constructor(units: number) {
    this.#units = units;
  }

  /** Whole cost units that the merchant has left, 0 or more. */
  remaining(merchantId: number): number {
    return Math.max(0, Math.floor(this.#units - this.#missing(merchantId)));
  }

  /** @throws Failure exhausted (BUDGET_SPENT), with the time to wait, for a merchant who has nothing left. */
  check(merchantId: number): void {
    const missing = this.#missing(merchantId);
    if (missing < this.#units) return;
    const message = `merchant ${merchantId}: questions took more than ${this.#units} ms of the database's time in an hour`;
    const allowed = "wait, or ask for shorter periods, fewer dimensions, or what was asked before";
    throw new Failure("exhausted", `${message}: ${allowed}`, {
      reason: "BUDGET_SPENT",
      allowed,
      retryAfterMs: ((missing - this.#units * (1 - LEAST_SHARE)) * REFILL_MS) / this.#units,
    });
  }

  /** Takes what something cost. */
  charge(merchantId: number, units: number): void {
    const missing = this.#missing(merchantId) + units;
    this.#fullTimes.set(merchantId, Date.now() + (missing * REFILL_MS) / this.#units);
  }

  #missing(merchantId: number): number {
    const fullTime = this.#fullTimes.get(merchantId) ?? 0;
    return (Math.max(0, fullTime - Date.now()) * this.#units) / REFILL_MS;
  }
}
