import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { valuesOf } from "../../internal/event/property-value.ts";
import type { Event } from "../../internal/gen/footfall/event/v1/event_pb.js";
import { orderNumber, uuidV7 } from "../../internal/simulate/ids.ts";
import { Random } from "../../internal/simulate/random.ts";

/** An order as the load generator made it up. */
export interface PlainOrder {
  readonly id: string;
  readonly revenueMicros: number;
  /** Empty: the merchant's. */
  readonly currency: string;
}

/** An event as the load generator made it up: what is stored of it must say the same. */
export interface PlainEvent {
  readonly id: string;
  readonly name: string;
  /** The client's time, ms since 1970-01-01 UTC; undefined where it sends none. */
  readonly timeMs: number | undefined;
  readonly url: string;
  readonly visitor: number;
  readonly order: PlainOrder | undefined;
}

/** New events of one merchant that are sent together. */
export interface PlainRequest {
  /** Which of the merchants, from 0. */
  readonly merchant: number;
  readonly events: readonly PlainEvent[];
}

/** Currency of all merchants; orders in another one count as orders, not as revenue. */
export const CURRENCY = "EUR";

/** How far back a late event may lie, days. */
export const LATEST_DAYS = 35;

const DAY_MS = 86_400_000;
const NAMES = ["page_view", "page_view", "page_view", "add_to_cart", "purchase"];

/** Keeps the traffic's random numbers apart from those of the plan. */
const TRAFFIC = 2;

export interface TrafficOptions {
  readonly seed: number;
  readonly round: number;
  /** Which of the round's SDKs, from 0. */
  readonly sdk: number;
  readonly merchants: number;
  /** Its events happened days before they are sent. */
  readonly isLate: boolean;
}

/** The events that one SDK sends in one round: all but the times is a function of the options. */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #random: Random;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#random = new Random(options.seed, options.round, TRAFFIC, options.sdk);
  }

  /** @param nowMs ms since 1970-01-01 UTC. */
  next(nowMs: number): PlainRequest {
    const merchant = this.#random.below(this.#options.merchants);
    // What comes late was kept by a device that was offline, and is of one visit.
    const visitAgeMs = this.#options.isLate ? this.#random.below(LATEST_DAYS * DAY_MS) : 0;
    const length = 3 + this.#random.below(15);
    const events = Array.from({ length }, () => this.#event(nowMs - visitAgeMs, nowMs));
    return { merchant, events };
  }

  #event(visitMs: number, nowMs: number): PlainEvent {
    const random = this.#random;
    const timeMs = visitMs - random.below(2_000);
    const hasTime = this.#options.isLate || random.chance(0.8);
    const uuid = uuidV7(hasTime ? timeMs : nowMs, random);
    const name = random.of(NAMES);
    return {
      // Some SDKs make ids without a time in them, which are kept apart from the others.
      id: random.chance(0.2) ? `${uuid.slice(0, 14)}4${uuid.slice(15)}` : uuid,
      name,
      timeMs: hasTime ? timeMs : undefined,
      url: `https://shop.example/${random.below(50)}`,
      visitor: random.below(200),
      order: name === "purchase" ? this.#order() : undefined,
    };
  }

  #order(): PlainOrder {
    const currency = this.#random.of(["", CURRENCY, CURRENCY, "USD"]);
    return { id: orderNumber(this.#random), revenueMicros: 10_000 * this.#random.below(30_000), currency };
  }
}

const USER_AGENT =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/** The event as it travels. */
export function toMessage({ id, name, timeMs, url, visitor, order }: PlainEvent): Event {
  return {
    $typeName: "footfall.event.v1.Event",
    eventId: id,
    name,
    ...(timeMs !== undefined && { clientTime: timestampFromMs(timeMs) }),
    visitorId: `visitor-${visitor}`,
    sessionId: `session-${visitor}`,
    url,
    referrer: "",
    userAgent: USER_AGENT,
    ip: "203.0.113.7",
    language: "en",
    properties: valuesOf({ plan: "chaos" }),
    userId: "",
    title: "",
    consent: 0,
    sdk: "",
    passive: false,
    cartId: "",
    checkoutId: "",
    items: [],
    ...(order !== undefined && { order: orderMessage(order) }),
  };
}

function orderMessage({ id, revenueMicros, currency }: PlainOrder): NonNullable<Event["order"]> {
  return {
    $typeName: "footfall.event.v1.Order",
    id,
    revenueMicros: BigInt(revenueMicros),
    taxMicros: 0n,
    shippingMicros: 0n,
    discountMicros: 0n,
    currency,
    coupon: "",
    customerId: "",
    market: "",
    paymentMethod: "",
  };
}
