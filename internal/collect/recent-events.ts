import type { Ticket } from "./ticket.ts";

/**
 * The events that the collector took lately, with the batch that each went into: a bounded window, so that a
 * retry is answered "duplicate" at once. What has left the window is found at the aggregator.
 *
 * Two generations of at most half the capacity each: when the younger is full, the older is forgotten.
 */
export class RecentEvents {
  readonly #half: number;
  #young = new Map<string, Ticket>();
  #old = new Map<string, Ticket>();

  /** @param capacity most events remembered. */
  constructor(capacity: number) {
    this.#half = Math.max(1, capacity >>> 1);
  }

  /** The key of an event: merchant and id. */
  static key(merchantId: number, eventId: Buffer): string {
    return merchantId + eventId.toString("latin1");
  }

  /** The batch of an event that is stored or on its way; one that failed does not count. */
  find(key: string): Ticket | undefined {
    const ticket = this.#young.get(key) ?? this.#old.get(key);
    return ticket?.outcome?.stored === false ? undefined : ticket;
  }

  remember(key: string, ticket: Ticket): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, ticket);
  }
}
