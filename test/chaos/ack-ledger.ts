import { CURRENCY, type PlainEvent } from "./traffic.ts";

/** How an SDK was told that an event is safe. */
export interface Ack {
  /** ms since 1970-01-01 UTC. */
  readonly timeMs: number;
  readonly collector: string;
  readonly status: "accepted" | "duplicate";
}

/** An event that was sent at least once. */
export interface SentEvent {
  readonly merchantId: number;
  readonly event: PlainEvent;
  /** The first ack; undefined while there is none: then it may be stored or not. */
  ack: Ack | undefined;
}

/** What a merchant's reports must say, counted from what was acked. Revenue in micros of CURRENCY. */
export interface Totals {
  readonly events: number;
  readonly pageViews: number;
  readonly orders: number;
  readonly revenueMicros: number;
}

/** What the load generator itself knows, event by event: what was sent, and what was acked, when and by whom. */
export class AckLedger {
  readonly #byMerchant = new Map<number, Map<string, SentEvent>>();
  #acked = 0;

  /** Events that were acked at least once. */
  get acked(): number {
    return this.#acked;
  }

  get merchantIds(): number[] {
    return [...this.#byMerchant.keys()];
  }

  sent(merchantId: number, event: PlainEvent): void {
    const events = this.#byMerchant.get(merchantId) ?? new Map<string, SentEvent>();
    this.#byMerchant.set(merchantId, events);
    if (!events.has(event.id)) events.set(event.id, { merchantId, event, ack: undefined });
  }

  ack(merchantId: number, eventId: string, ack: Ack): void {
    const sent = this.#byMerchant.get(merchantId)?.get(eventId);
    if (sent === undefined) throw new Error(`merchant ${merchantId} never sent ${eventId}`);
    if (sent.ack !== undefined) return;
    sent.ack = ack;
    this.#acked++;
  }

  /** A merchant's events, by their ids. */
  of(merchantId: number): ReadonlyMap<string, SentEvent> {
    return this.#byMerchant.get(merchantId) ?? new Map();
  }

  totals(merchantId: number): Totals {
    const acked = [...this.of(merchantId).values()].filter(({ ack }) => ack !== undefined);
    const orders = acked.flatMap(({ event }) => event.order ?? []);
    const converted = orders.filter(({ currency }) => currency === "" || currency === CURRENCY);
    return {
      events: acked.length,
      pageViews: acked.filter(({ event }) => event.name === "page_view").length,
      orders: orders.length,
      revenueMicros: converted.reduce((sum, { revenueMicros }) => sum + revenueMicros, 0),
    };
  }
}
