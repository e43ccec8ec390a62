import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type Event, EventSchema } from "../../gen/footfall/event/v1/event_pb.js";
import type { Row } from "../batch-builder.ts";
import { MAX_TIME_MS, MIN_TIME_MS } from "../batch-limits.ts";
import { formatId } from "../event-id.ts";
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

const order = fc.record({
  id: required,
  revenueMicros: micros,
  taxMicros: micros,
  shippingMicros: micros,
  discountMicros: micros,
  currency: text,
  coupon: text,
});

const item = fc.record({
  id: required,
  name: text,
  brand: text,
  category: text,
  variant: text,
  priceMicros: micros,
  quantityMicros: fc.bigInt({ min: 0n, max: 10n ** 12n }),
});

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
    properties: fc.dictionary(required, text, { maxKeys: 4, noNullPrototype: true }),
    order: fc.option(order, { nil: undefined, freq: 3 }),
    items: fc.array(item, { maxLength: 3 }),
    refund: fc.option(refund, { nil: undefined, freq: 3 }),
  })
  .map(({ screen, order, refund, ...rest }) =>
    create(EventSchema, {
      ...rest,
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
      properties: Object.keys(properties).length === 0 ? undefined : { ...properties },
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

function plainRecord<T>({ $typeName: _, ...fields }: { $typeName: string }, keep: string): T {
  const record = Object.entries(fields).map(([name, value]): [string, unknown] => [
    name,
    name === "quantityMicros" ? value || 1_000_000n : value,
  ]);
  return present(Object.fromEntries(record), keep);
}
