import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

/**
 * Events a second, of each key, counted over windows of some seconds: a burst may use a whole window's events at
 * once, and who is over the limit waits for the next window.
 */
export class EventRate {
  readonly #limiter: RateLimiterMemory;
  readonly #windowMs: number;

  /**
   * @param perSecond events a second, above 0.
   * @param windowSeconds made longer where a window would not hold the largest request.
   * @param largestRequest events.
   */
  constructor(perSecond: number, windowSeconds: number, largestRequest: number) {
    const points = Math.max(perSecond * windowSeconds, largestRequest);
    const duration = points / perSecond;
    this.#limiter = new RateLimiterMemory({ points, duration });
    this.#windowMs = duration * 1_000;
  }

  /** Counts events; more than a window holds count as one full. @returns how long to wait instead, ms, when they are too many; undefined when they are not. */
  async take(key: number, events: number): Promise<number | undefined> {
    try {
      await this.#limiter.consume(key, this.#most(events));
      return undefined;
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      return this.#wait(error);
    }
  }

  /** Gives back events that were counted, but not taken after all. */
  async giveBack(key: number, events: number): Promise<void> {
    await this.#limiter.reward(key, this.#most(events));
  }

  /** How long a key that was over the limit has still to wait, ms; undefined when it has not. */
  async blockedFor(key: number): Promise<number | undefined> {
    const state = await this.#limiter.get(key);
    // Events that were refused are counted too: only then there are more than fit.
    const blocked = state !== null && state.msBeforeNext > 0 && state.consumedPoints > this.#limiter.points;
    return blocked ? this.#wait(state) : undefined;
  }

  #most(events: number): number {
    return Math.min(events, this.#limiter.points);
  }

  /** Until the next window, and a chance time more, lest all who wait come in the same moment. */
  #wait({ msBeforeNext }: RateLimiterRes): number {
    return Math.ceil(msBeforeNext + Math.random() * 0.1 * this.#windowMs);
  }
}
