import { Failure } from "../../failure/failure.ts";
import { networkOfAddress } from "./network.ts";

/** Failing look-ups of one address that come at once, and how many more a second. */
const BURST = 50;
const PER_SECOND = 5;

const INTERVAL_MS = 1_000 / PER_SECOND;

/** However many failed, an address may try again after this time, ms. */
const LONGEST_WAIT_MS = 30_000;

/** Most addresses remembered; of more, those that failed longest ago are forgotten. */
const MOST_ADDRESSES = 50_000;

/**
 * Holds each client address to a rate of look-ups of API keys that there are not, which cost the database something
 * each. API keys that are known are not looked up, and so not held up by what else comes from their address.
 */
export class FailedTries {
  /** When an address will have paid for its failures, ms since 1970-01-01 UTC (GCRA's theoretical arrival time). */
  readonly #paid = new Map<string, number>();

  readonly #isUnlimited: (address: string) => boolean;

  /** @param isUnlimited tells of load balancers, behind whose addresses anybody may be. */
  constructor(isUnlimited: (address: string) => boolean) {
    this.#isUnlimited = isUnlimited;
  }

  /** An address as one who asks a LookupCache; undefined for one that is not limited. */
  of(address: string): { mayAsk(): void; failed(): void } | undefined {
    if (this.#isUnlimited(address)) return undefined;
    const network = networkOfAddress(address);
    return { mayAsk: () => this.#mayAsk(network), failed: () => this.#failed(network) };
  }

  #mayAsk(network: string): void {
    const wait = (this.#paid.get(network) ?? 0) - Date.now() - (BURST - 1) * INTERVAL_MS;
    if (wait <= 0) return;
    const message = "authorization: too many unknown API keys from this address";
    throw new Failure("exhausted", message, { retryAfterMs: wait });
  }

  #failed(network: string): void {
    const now = Date.now();
    const paid = Math.max(this.#paid.get(network) ?? 0, now) + INTERVAL_MS;
    this.#paid.delete(network);
    this.#paid.set(network, Math.min(paid, now + BURST * INTERVAL_MS + LONGEST_WAIT_MS));
    if (this.#paid.size > MOST_ADDRESSES) this.#paid.delete(this.#paid.keys().next().value!);
  }
}
