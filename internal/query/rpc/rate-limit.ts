import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { Failure } from "../../failure/failure.ts";

/**
 * Holds each merchant to a number of requests a minute.
 * @returns a function that throws Failure exhausted, with the time to wait, for a merchant over its limit.
 */
export function merchantLimit(requestsPerMinute: number): (merchantId: number) => Promise<void> {
  const limiter = new RateLimiterMemory({ points: requestsPerMinute, duration: 60 });
  return async (merchantId) => {
    try {
      await limiter.consume(merchantId);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const message = `merchant ${merchantId}: more than ${requestsPerMinute} requests a minute`;
      throw new Failure("exhausted", message, { retryAfterMs: error.msBeforeNext });
    }
  };
}
