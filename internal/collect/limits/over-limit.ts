import { Failure } from "../../failure/failure.ts";

/**
 * The limits of a collector, as metrics name them. Those that begin with `merchant_` are one merchant's part:
 * - rate: events a second
 * - requests: requests in progress
 * - memory: bytes of requests that are being read
 * - pending: bytes of batches on their way to ingest
 */
export type LimitName =
  | "merchant_rate"
  | "rate"
  | "merchant_requests"
  | "requests"
  | "merchant_memory"
  | "memory"
  | "merchant_pending"
  | "pending";

/** A request that is refused as a whole, to be sent again after `retryAfterMs`; nothing of it was taken. */
export class OverLimit extends Failure {
  readonly limit: LimitName;

  constructor(limit: LimitName, message: string, retryAfterMs: number) {
    super("exhausted", message, { retryAfterMs });
    this.limit = limit;
  }
}
