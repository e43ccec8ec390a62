import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { valuesOf } from "../../event/property-value.ts";
import { EventSchema } from "../../gen/footfall/event/v1/event_pb.js";

/** A value that is good most of the time: one fault in an event in three leaves the others to be met. */
const mostly = <T>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: good, weight: 30 }, { arbitrary: bad, weight: 1 });

const text = fc.oneof(
  fc.constantFrom("", "a", "page_view", "é", "日本語", "\u{1f6cd}", "\ufeffx"),
  fc.string({ unit: "grapheme", maxLength: 12 }).map((value) => value.replaceAll("\0", "")),
);
const long = fc
  .tuple(fc.constantFrom(255, 256, 257, 1_024, 1_025, 2_049), fc.constantFrom("x", "ü", "\u{1f6cd}"))
  .map(([length, character]) => character.repeat(length));
const badText = fc.oneof(long, fc.constant("nul\0"));
const required = mostly(
  text.filter((value) => value !== ""),
  fc.oneof(badText, fc.constant("")),
);
const anyText = mostly(text, badText);
const url = mostly(
  fc.constantFrom("", "https://a.example/", "HTTP://b.example:8080/x?y#z", "https://bücher.example"),
  fc.constantFrom("/x", "ftp://a.example/", "https://", "http://[::1", "https://a b/"),
);
const ip = mostly(
  fc.constantFrom("", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"),
  fc.constantFrom("1.2.3", "01.2.3.4", "192.0.2.1:80", "x".repeat(300)),
);
const eventId = mostly(
  fc.oneof(
    fc.constant(""),
    fc.uuid(),
    fc.uuid().map((id) => id.toUpperCase()),
    text,
  ),
  fc.oneof(badText, fc.constantFrom("00000000-0000-0000-0000-000000000000", "g".repeat(36))),
);
const micros = mostly(
  fc.bigInt({ min: 0n, max: 10n ** 18n }),
  fc.constantFrom(-1n, 10n ** 18n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
);
const quantityMicros = mostly(
  fc.bigInt({ min: 0n, max: 10n ** 12n }),
  fc.constantFrom(-1n, 10n ** 12n + 1n, 2n ** 63n - 1n),
);
const size = mostly(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(0, 65_536, 2 ** 32 - 1));
const currency = mostly(fc.constantFrom("", "EUR", "usd", "XAU"), fc.constantFrom("€", "EURO", "DEM", "XXX"));
const propertyValue = fc.oneof(
  anyText,
  fc.boolean(),
  mostly(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    fc.constantFrom(Number.NaN, 1 / 0),
  ),
);
const item = fc.record({
  id: required,
  name: anyText,
  brand: text,
  category: text,
  variant: text,
  listId: text,
  listPosition: mostly(fc.nat(1_000_000), fc.constantFrom(1_000_001, 2 ** 32 - 1)),
  promotionId: text,
  costMicros: micros,
  priceMicros: micros,
  quantityMicros,
});
const order = fc.record({
  id: required,
  revenueMicros: micros,
  taxMicros: micros,
  shippingMicros: micros,
  discountMicros: micros,
  currency,
  coupon: anyText,
  customerId: text,
  costMicros: micros,
  market: text,
  paymentMethod: text,
});
const refund = fc.record({
  id: anyText,
  orderId: mostly(text, badText),
  amountMicros: micros,
  currency,
  items: fc.array(item, { maxLength: 2 }),
});
const day = 86_400_000;
const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined, freq: 2 });

/** The bytes of an event of which something may be wrong. @param now ms since 1970-01-01 UTC. */
export const encoded = (now: number): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      eventId,
      name: required,
      clientTime: maybe(
        mostly(fc.integer({ min: -29 * day, max: day }), fc.constantFrom(-31 * day, 2 * day, -1e15)),
      ),
      visitorId: anyText,
      sessionId: text,
      url,
      referrer: anyText,
      userAgent: text,
      ip,
      language: text.map((value) => value.slice(0, 8)),
      screen: maybe(fc.record({ width: size, height: size })),
      userId: text,
      title: anyText,
      consent: mostly(fc.nat(2), fc.constantFrom(3, -1, 2 ** 31 - 1)),
      engagement: maybe(
        fc.record({
          activeMs: mostly(fc.nat(86_400_000), fc.constant(86_400_001)),
          scrollPercent: mostly(fc.nat(100), fc.constant(101)),
        }),
      ),
      sdk: text,
      passive: fc.boolean(),
      cartId: text,
      checkoutId: text,
      properties: fc.dictionary(required, propertyValue, { maxKeys: 3, noNullPrototype: true }),
      order: maybe(order),
      items: fc.array(item, { maxLength: 2 }),
      refund: fc.option(refund, { nil: undefined, freq: 5 }),
    })
    .map(({ clientTime, screen, order, refund, engagement, properties, ...rest }) => {
      const event = create(EventSchema, {
        ...rest,
        properties: valuesOf(properties),
        ...(engagement && { engagement }),
        ...(screen && { screen }),
        ...(order && { order }),
        ...(refund && { refund }),
      });
      if (clientTime !== undefined) event.clientTime = timestampFromMs(now + clientTime);
      return toBinary(EventSchema, event);
    });

/** Something that is done to bytes: a byte changed, put in or left out at a place, the end cut off. */
type Spoil = (bytes: Uint8Array) => Uint8Array;
const spoil: fc.Arbitrary<Spoil> = fc
  .tuple(fc.constantFrom("change", "insert", "remove", "cut"), fc.nat(), fc.nat(255))
  .map(([what, place, value]) => (bytes) => {
    const at = bytes.length === 0 ? 0 : place % bytes.length;
    const rest = bytes.subarray(what === "insert" ? at : at + 1);
    if (what === "cut") return bytes.subarray(0, at);
    if (what === "remove") return Buffer.concat([bytes.subarray(0, at), rest]);
    return Buffer.concat([bytes.subarray(0, at), Buffer.of(value), rest]);
  });

/** Fields that no event has: a varint, 8 bytes, some bytes, 4 bytes; and a group. */
const unknown = fc.constantFrom(
  Buffer.from([0x80, 0x01, 0x96, 0x01]),
  Buffer.from([0x79, 1, 2, 3, 4, 5, 6, 7, 8]),
  Buffer.from([0xfa, 0x7d, 3, 1, 2, 3]),
  Buffer.from([0x7d, 1, 2, 3, 4]),
  Buffer.from([0x7b, 0x7c]),
);

/** Bytes as they may come: whole events, two of them merged, with unknown fields, or spoiled. */
export const eventBytes = (now: number): fc.Arbitrary<Uint8Array> => {
  const event = encoded(now);
  return fc.oneof(
    { arbitrary: event, weight: 4 },
    { arbitrary: fc.tuple(event, event).map((two) => Buffer.concat(two)), weight: 2 },
    { arbitrary: fc.tuple(event, unknown, event).map((parts) => Buffer.concat(parts)), weight: 1 },
    {
      arbitrary: fc
        .tuple(event, fc.array(spoil, { minLength: 1, maxLength: 3 }))
        .map(([bytes, spoils]) => spoils.reduce((sofar, one) => one(sofar), bytes)),
      weight: 6,
    },
    { arbitrary: fc.uint8Array({ maxLength: 30 }), weight: 1 },
  );
};
