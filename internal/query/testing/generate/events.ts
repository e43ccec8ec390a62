import fc from "fast-check";
import { EVENT_TEXTS, type Item, type Order, type StoredEvent, type Touch } from "../naive/event.ts";

const HOUR_MS = 3_600_000;

/** Texts that are hard on SQL, JSON, LIKE and orders of texts, beside plain ones. */
export const ODD_TEXTS = [
  "/",
  "/a",
  "/a/b",
  "/a_b",
  "/a%b",
  "/A",
  "/é",
  "\\",
  "'; --",
  "😀",
  "\u{ffff}",
  "",
] as const;

const text = fc.option(fc.constantFrom(...ODD_TEXTS));
const rarely = <T>(values: fc.Arbitrary<T>) => fc.option(values, { freq: 2 });
const micros = fc.bigInt({ min: 0n, max: 10n ** 18n });

const item: fc.Arbitrary<Omit<Item, "stage" | "revenueMicros">> = fc.record({
  id: fc.constantFrom("shoe", "sock", "'"),
  name: text,
  brand: fc.option(fc.constantFrom("Ajax", "Bex")),
  category: fc.option(fc.constantFrom("a", "a/b")),
  variant: fc.option(fc.constantFrom("red", "blue")),
  list: fc.option(fc.constantFrom("top", "search")),
  promotion: fc.option(fc.constantFrom("sale")),
  quantityMicros: fc.constantFrom(1n, 500_000n, 1_000_000n, 3_000_000n),
});

const touch: fc.Arbitrary<Touch> = fc.record({
  channel: fc.constantFrom("Direct", "Organic Search", "Email"),
  source: fc.constantFrom("(direct)", "google", "news"),
  medium: fc.constantFrom("(none)", "organic", "email"),
  campaign: fc.option(fc.constantFrom("spring", "autumn")),
  campaignId: rarely(fc.constantFrom("1", "2")),
  campaignTerm: rarely(fc.constantFrom("shoes")),
  campaignContent: rarely(fc.constantFrom("top", "foot")),
  clickId: rarely(fc.constantFrom("gclid", "fbclid")),
});

const order: fc.Arbitrary<Order> = fc.record({
  kind: fc.constantFrom(0, 1, 1, 1, 2, 3, 3, 4),
  revenueMicros: fc.option(micros),
  taxMicros: fc.option(micros),
  shippingMicros: fc.option(micros),
  discountMicros: fc.option(micros),
  coupon: fc.option(fc.constantFrom("TEN", "ten")),
  currency: fc.option(fc.constantFrom("EUR", "USD")),
  market: fc.option(fc.constantFrom("de", "at")),
  paymentMethod: fc.option(fc.constantFrom("card", "cash")),
});

/** An event without what tells it from others: merchant, id, time, session and visitor. */
const plainEvent = fc.record({
  processorVersion: fc.constantFrom(17, 18),
  name: fc.constantFrom("page_view", "page_view", "page_view", "click", "purchase"),
  texts: fc.record(
    Object.fromEntries(
      EVENT_TEXTS.map((name) => [
        name,
        name === "page" ? text : fc.option(fc.constantFrom("a", "B", "ä", "")),
      ]),
    ),
  ) as fc.Arbitrary<StoredEvent["texts"]>,
  screen: fc.option(fc.constantFrom([1920, 1080] as const, [390, 844] as const)),
  properties: fc.dictionary(
    fc.constantFrom("plan", "weight"),
    fc.oneof(fc.constantFrom("pro", "free", "1.5"), fc.integer({ min: -9, max: 9 }), fc.boolean()),
  ),
  isPassive: fc.boolean(),
  activeMs: fc.option(fc.integer({ min: 0, max: 12_000 })),
  scrollPercent: fc.option(fc.integer({ min: 0, max: 100 })),
  stage: fc.constantFrom(0, 1, 2, 3, 4),
  touch: fc.option(touch),
  order: fc.option(order, { freq: 2 }),
  items: fc.array(item, { maxLength: 2 }),
});

/** Where events are to be. */
export interface Where {
  readonly merchants: readonly number[];
  /** Ms since 1970-01-01 UTC. */
  readonly from: number;
  readonly to: number;
  readonly sessions: number;
}

/**
 * Random events of sessions of up to 24 hours, no two of a session at the same ms: of these it is not told which is first.
 * Visitors have the same numbers at all merchants, and sessions too.
 */
export function eventsWithin({ merchants, from, to, sessions }: Where): fc.Arbitrary<StoredEvent[]> {
  const session = fc.record({
    merchantId: fc.constantFrom(...merchants),
    visitor: fc.integer({ min: 1, max: 25 }),
    // Most sign in as the one whom their visitor id belongs to, some as another.
    user: fc.option(
      fc.oneof(
        { weight: 9, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 12 }) },
      ),
      { freq: 1 },
    ),
    isBot: fc.boolean().chain((first) => (first ? fc.boolean() : fc.constant(false))),
    start: fc.integer({ min: Math.ceil(from / 60_000), max: Math.floor(to / 60_000) - 24 * 60 }),
    events: fc.uniqueArray(
      fc.record({
        // Close together, over hours, or over a day less a little.
        offsetMs: fc.oneof(
          fc.integer({ min: 0, max: 20_000 }),
          fc.integer({ min: 0, max: 3 * HOUR_MS }),
          fc.integer({ min: 0, max: 24 * HOUR_MS - 1_000 }),
        ),
        event: plainEvent,
        id: fc.uuid(),
      }),
      { selector: ({ offsetMs }) => offsetMs, minLength: 1, maxLength: 5 },
    ),
  });
  return fc.array(session, { minLength: sessions, maxLength: sessions }).map((all) => {
    const counts = new Map<number, number>();
    return all.flatMap(({ merchantId, visitor, user, isBot, start, events }) => {
      const number = (counts.get(merchantId) ?? 0) + 1;
      counts.set(merchantId, number);
      return events.map(({ offsetMs, event, id }) => ({
        ...stored(event),
        ...{
          merchantId,
          visitor,
          user: userOf(visitor, user),
          isBot,
          id,
          session: number,
          time: start * 60_000 + offsetMs,
        },
      }));
    });
  });
}

/** Two visitor ids of each of the first users: 1001 and on. */
function userOf(visitor: number, user: number | null): number | null {
  if (user === null) return null;
  return 1_000 + (user === 0 ? Math.ceil(visitor / 2) : user);
}

type Plain = typeof plainEvent extends fc.Arbitrary<infer T> ? T : never;

/** With amounts and stages as processing makes them of an order's kind. */
function stored(
  event: Plain,
): Omit<StoredEvent, "merchantId" | "visitor" | "user" | "isBot" | "id" | "session" | "time"> {
  const kind = event.order?.kind;
  const sign = kind === 1 ? 1n : kind === 3 ? -1n : undefined;
  const stage = kind === 1 ? 5 : kind === 3 ? 6 : kind === undefined || kind === 0 ? event.stage : 0;
  const paid = event.order?.revenueMicros ?? null;
  const partOfOrder = (micros: bigint | null) => (kind === 1 ? micros : null);
  return {
    ...event,
    stage,
    order: event.order && {
      ...event.order,
      revenueMicros: sign === undefined || paid === null ? null : sign * paid,
      taxMicros: partOfOrder(event.order.taxMicros),
      shippingMicros: partOfOrder(event.order.shippingMicros),
      discountMicros: partOfOrder(event.order.discountMicros),
    },
    items: event.items.map((each) => ({
      ...each,
      stage,
      revenueMicros: sign === undefined || paid === null ? null : sign * each.quantityMicros * 7n,
    })),
  };
}
