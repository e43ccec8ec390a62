import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type Event, EventSchema } from "../../gen/footfall/event/v1/event_pb.js";
import type { Row } from "../batch-builder.ts";
import { MAX_TIME_MS, MIN_TIME_MS } from "../batch-limits.ts";
import { formatId } from "../event-id.ts";
import { valuesOf } from "../property-value.ts";
import { type PlainOrder, type PlainRow, present } from "./plain-row.ts";

/** Any text of whole characters, U+0000 left out; some come often, so that the dictionary has work to do. */
const text = fc.oneof(
  fc.constantFrom("", "a", "page_view", "é", "日本語", "\u{1f6cd}", "\ufeffx", "__proto__"),
  fc.string({ unit: "binary", maxLength: 30 }).map((value) => value.replaceAll("\0", "")),
);
const required = text.filter((value) => value !== "");
const time = fc.oneof(
  fc.constantFrom(MIN_TIME_MS, MAX_TIME_MS, -1, 0, 1, 2 ** 32 - 1, 2 ** 32, -(2 ** 32)),
  fc.integer({ min: MIN_TIME_MS, max: MAX_TIME_MS }),
);
const micros = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 32n, 10n ** 18n),
  fc.bigInt({ min: 0n, max: 10n ** 18n }),
);
const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .filter((bytes) => bytes.some((byte) => byte !== 0));
const u16 = fc.integer({ min: 1, max: 65_535 });

const propertyValue = fc.oneof(
  { arbitrary: text, weight: 3 },
  { arbitrary: fc.boolean(), weight: 1 },
  // JSON cannot tell -0 from 0.
  { arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0), weight: 2 },
);

const withoutUndefined = <T extends object>(record: T) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>;
  };

const order = fc
  .record({
    id: required,
    revenueMicros: micros,
    taxMicros: micros,
    shippingMicros: micros,
    discountMicros: micros,
    currency: text,
    coupon: text,
    customerId: text,
    costMicros: fc.option(micros, { nil: undefined }),
    market: text,
    paymentMethod: text,
  })
  .map(withoutUndefined);

const item = fc
  .record({
    id: required,
    name: text,
    brand: text,
    category: text,
    variant: text,
    priceMicros: micros,
    quantityMicros: fc.bigInt({ min: 0n, max: 10n ** 12n }),
    listId: text,
    listPosition: fc.integer({ min: 0, max: 1_000_000 }),
    promotionId: text,
    discountMicros: micros,
    costMicros: fc.option(micros, { nil: undefined }),
  })
  .map(withoutUndefined);

const refund = fc.record({
  id: text,
  orderId: required,
  amountMicros: micros,
  currency: text,
  items: fc.array(item, { maxLength: 2 }),
});

const event: fc.Arbitrary<Event> = fc
  .record({
    name: required,
    visitorId: text,
    sessionId: text,
    url: text,
    referrer: text,
    userAgent: text,
    ip: text,
    language: text,
    screen: fc.option(fc.record({ width: u16, height: u16 }), { nil: undefined }),
    userId: text,
    title: text,
    consent: fc.nat(2),
    engagement: fc.option(fc.record({ activeMs: fc.nat(86_400_000), scrollPercent: fc.nat(100) }), {
      nil: undefined,
    }),
    sdk: text,
    passive: fc.boolean(),
    cartId: text,
    checkoutId: text,
    properties: fc.dictionary(required, propertyValue, { maxKeys: 4, noNullPrototype: true }),
    order: fc.option(order, { nil: undefined, freq: 3 }),
    items: fc.array(item, { maxLength: 3 }),
    refund: fc.option(refund, { nil: undefined, freq: 3 }),
  })
  .map(({ screen, order, refund, engagement, properties, ...rest }) =>
    create(EventSchema, {
      ...rest,
      properties: valuesOf(properties),
      ...(engagement && { engagement }),
      ...(screen && { screen }),
      ...(order && { order }),
      ...(refund && { refund }),
    }),
  );

/** Rows as the builder takes them, of every kind that the checks let through. */
export const anyRow: fc.Arbitrary<Row> = fc.record({
  merchantId: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  event,
  eventId: fc.option(id, { nil: undefined, freq: 2 }),
  receivedTime: time,
  clientTime: time,
  sentTime: fc.oneof(fc.constant(0), time),
});

/** What any reader must give back for a row. @param eventId of the row, as a UUID is written. */
export function plainRow({ event, ...row }: Row, eventId: string): PlainRow {
  const { properties, screen, refund } = event;
  const items = refund !== undefined && refund.items.length > 0 ? refund.items : event.items;
  return present(
    {
      merchantId: row.merchantId,
      eventId: row.eventId === undefined ? eventId : formatId(row.eventId),
      receivedTime: row.receivedTime,
      clientTime: row.clientTime,
      sentTime: row.sentTime,
      name: event.name,
      visitorId: event.visitorId,
      sessionId: event.sessionId,
      url: event.url,
      referrer: event.referrer,
      userAgent: event.userAgent,
      ip: event.ip,
      language: event.language,
      screenWidth: screen?.width,
      screenHeight: screen?.height,
      userId: event.userId,
      title: event.title,
      consent: event.consent,
      activeMs: event.engagement?.activeMs,
      scrollPercent: event.engagement?.scrollPercent,
      sdk: event.sdk,
      passive: event.passive ? 1 : 0,
      cartId: event.cartId,
      checkoutId: event.checkoutId,
      properties:
        Object.keys(properties).length === 0
          ? undefined
          : Object.fromEntries(Object.entries(properties).map(([name, { kind }]) => [name, kind.value])),
      order: plainOrder(event),
      items: items.length === 0 ? undefined : items.map((one) => plainRecord(one, "priceMicros")),
    },
    "receivedTime",
    "clientTime",
  );
}

/** As the documentation of Refund has it: what it leaves out is that of the order. */
function plainOrder({ order, refund }: Event): PlainRow["order"] {
  if (order === undefined && refund === undefined) return undefined;
  const {
    id = "",
    revenueMicros = 0n,
    currency = "",
    ...rest
  } = order === undefined ? {} : plainRecord<PlainOrder>(order, "revenueMicros");
  const { orderId = "", amountMicros = 0n, id: refundId } = refund ?? {};
  const all = {
    ...rest,
    id: orderId === "" ? id : orderId,
    revenueMicros: amountMicros === 0n ? revenueMicros : amountMicros,
    currency: refund?.currency ? refund.currency : currency,
    isRefund: refund && 1,
    refundId,
  };
  return present(all, "revenueMicros");
}

/** As the batch has it: a cost is one more, so that 0 stands for an unknown one. */
function plainField(name: string, value: unknown): unknown {
  if (name === "quantityMicros") return value || 1_000_000n;
  return name === "costMicros" && typeof value === "bigint" ? value + 1n : value;
}

function plainRecord<T>({ $typeName: _, ...fields }: { $typeName: string }, keep: string): T {
  const record = Object.entries(fields).map(([name, value]): [string, unknown] => [
    name,
    plainField(name, value),
  ]);
  return present(Object.fromEntries(record), keep);
}
