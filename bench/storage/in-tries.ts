import { withRetry } from "../../internal/lifecycle/retry.ts";
import { isMomentary } from "../../internal/store/temporary.ts";

const AGAIN = { tries: 5, firstMs: 200, longestMs: 2_000 };

/** Does work that leaves nothing behind when it fails; again where only the moment was wrong, as the aggregator would. */
export function inTries<T>(work: () => Promise<T>): Promise<T> {
  return withRetry(work, { ...AGAIN, isRetryable: isMomentary });
}
