import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import type { EventSchema } from "../gen/footfall/event/v1/event_pb.js";
import { RETENTION_DAYS } from "./testing/fake-ingest.ts";
import { type Rig, startRig } from "./testing/rig.ts";

type EventInit = MessageInitShape<typeof EventSchema>;
const { ACCEPTED, REJECTED } = EventStatus;

const HOUR = 3_600_000;
const inMs = (ms: number) => timestampFromMs(Date.now() + ms);
/** A UUIDv7 of a time. */
const v7 = (ms: number) => {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7abc-8def-0123456789ab`;
};
const order = { id: "A-1" };
const items = (...list: NonNullable<EventInit["items"]>) => ({ name: "bad", items: list });
const properties = (properties: Record<string, string>) => ({ name: "bad", properties });
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, "v"]));

/** The reason, the message, and an event that is rejected for it; made when it is sent. */
const BAD: [keyof typeof RejectReason, RegExp, () => EventInit][] = [
  ["NAME_MISSING", /^name: is missing$/, () => ({ url: "https://shop.example/" })],
  ["INVALID_UTF8", /^name: holds U\+0000: "a\\u0000b"$/, () => ({ name: "a\0b" })],
  ["INVALID_UTF8", /^properties\.k: holds U\+0000/, () => properties({ k: "\0" })],
  [
    "INVALID_UTF8",
    /^order\.coupon: holds U\+0000/,
    () => ({ name: "bad", order: { ...order, coupon: "\0" } }),
  ],
  ["INVALID_UTF8", /^items\[0\]\.brand: holds U\+0000/, () => items({ id: "i", brand: "\0" })],
  [
    "EVENT_TOO_LARGE",
    /^event: 2097\d\d\d bytes, at most 65536$/,
    () => properties({ k: "x".repeat(2 << 20) }),
  ],
  [
    "FIELD_TOO_LONG",
    /^event_id: 65 bytes, at most 64: "x{64}/,
    () => ({ name: "bad", eventId: "x".repeat(65) }),
  ],
  ["FIELD_TOO_LONG", /^name: 66 bytes, at most 64/, () => ({ name: "é".repeat(33) })],
  ["FIELD_TOO_LONG", /^visitor_id: 129 bytes/, () => ({ name: "bad", visitorId: "x".repeat(129) })],
  ["FIELD_TOO_LONG", /^session_id: 129 bytes/, () => ({ name: "bad", sessionId: "x".repeat(129) })],
  ["FIELD_TOO_LONG", /^url: 4097 bytes/, () => ({ name: "bad", url: "https://a/".padEnd(4_097, "x") })],
  ["FIELD_TOO_LONG", /^referrer: 4097 bytes/, () => ({ name: "bad", referrer: "x".repeat(4_097) })],
  ["FIELD_TOO_LONG", /^user_agent: 2049 bytes/, () => ({ name: "bad", userAgent: "x".repeat(2_049) })],
  ["FIELD_TOO_LONG", /^language: 36 bytes/, () => ({ name: "bad", language: "x".repeat(36) })],
  ["FIELD_TOO_LONG", /^properties: 65 bytes, at most 64/, () => properties({ ["k".repeat(65)]: "v" })],
  ["FIELD_TOO_LONG", /^properties\.k: 1025 bytes, at most 1024/, () => properties({ k: "x".repeat(1_025) })],
  ["FIELD_TOO_LONG", /^order\.id: 65 bytes/, () => ({ name: "bad", order: { id: "x".repeat(65) } })],
  [
    "FIELD_TOO_LONG",
    /^order\.coupon: 65/,
    () => ({ name: "bad", order: { ...order, coupon: "x".repeat(65) } }),
  ],
  [
    "FIELD_TOO_LONG",
    /^items\[1\]\.category: 257/,
    () => items({ id: "i" }, { id: "i", category: "x".repeat(257) }),
  ],
  [
    "TIME_IN_FUTURE",
    /^client_time: 20\d\d-.*Z is more than a day ahead/,
    () => ({ name: "bad", clientTime: inMs(48 * HOUR) }),
  ],
  [
    "TIME_IN_FUTURE",
    /^event_id: its time 20\d\d-/,
    () => ({ name: "bad", eventId: v7(Date.now() + 48 * HOUR) }),
  ],
  [
    "TIME_TOO_OLD",
    /^client_time: 20\d\d-.*Z is older than 30 days/,
    () => ({ name: "bad", clientTime: inMs(-31 * 24 * HOUR) }),
  ],
  ["TIME_TOO_OLD", /^client_time: 1969-/, () => ({ name: "bad", clientTime: timestampFromMs(-1) })],
  [
    "INVALID_URL",
    /^url: not an http or https address: "\/checkout"$/,
    () => ({ name: "bad", url: "/checkout" }),
  ],
  ["INVALID_URL", /^url: .*"ftp:/, () => ({ name: "bad", url: "ftp://shop.example/" })],
  ["INVALID_URL", /^url: .*"https:\/\/"$/, () => ({ name: "bad", url: "https://" })],
  ["INVALID_URL", /^url: .*"http:\/\/\[::1"$/, () => ({ name: "bad", url: "http://[::1" })],
  ["INVALID_IP", /^ip: not an address: "1\.2\.3"$/, () => ({ name: "bad", ip: "1.2.3" })],
  ["INVALID_IP", /^ip: .*"192\.0\.2\.1:80"$/, () => ({ name: "bad", ip: "192.0.2.1:80" })],
  [
    "INVALID_SCREEN",
    /^screen: 0 x 600 is outside/,
    () => ({ name: "bad", screen: { width: 0, height: 600 } }),
  ],
  [
    "INVALID_SCREEN",
    /^screen: 800 x 65536 /,
    () => ({ name: "bad", screen: { width: 800, height: 65_536 } }),
  ],
  ["INVALID_PROPERTIES", /^properties: more than 64$/, () => properties(many(65))],
  ["INVALID_PROPERTIES", /^properties: an empty key$/, () => properties({ "": "v" })],
  ["ORDER_ID_MISSING", /^order\.id: is missing$/, () => ({ name: "bad", order: { revenueMicros: 1n } })],
  [
    "INVALID_AMOUNT",
    /^order\.revenue_micros: -1 is outside/,
    () => ({ name: "bad", order: { ...order, revenueMicros: -1n } }),
  ],
  ["INVALID_AMOUNT", /^order\.tax_micros: -5/, () => ({ name: "bad", order: { ...order, taxMicros: -5n } })],
  [
    "INVALID_AMOUNT",
    /^order\.shipping_micros: 1000000000000001/,
    () => ({ name: "bad", order: { ...order, shippingMicros: 10n ** 15n + 1n } }),
  ],
  [
    "INVALID_AMOUNT",
    /^order\.discount_micros: 9223372036854775807/,
    () => ({ name: "bad", order: { ...order, discountMicros: 2n ** 63n - 1n } }),
  ],
  ["INVALID_AMOUNT", /^items\[0\]\.price_micros: -1/, () => items({ id: "i", priceMicros: -1n })],
  [
    "UNKNOWN_CURRENCY",
    /^order\.currency: .*"EURO"$/,
    () => ({ name: "bad", order: { ...order, currency: "EURO" } }),
  ],
  [
    "UNKNOWN_CURRENCY",
    /^order\.currency: .*"eur"$/,
    () => ({ name: "bad", order: { ...order, currency: "eur" } }),
  ],
  [
    "INVALID_ITEM",
    /^items: 201, at most 200$/,
    () => items(...Array.from({ length: 201 }, () => ({ id: "i" }))),
  ],
  ["INVALID_ITEM", /^items\[1\]\.id: is missing$/, () => items({ id: "i" }, { name: "shoe" })],
  [
    "INVALID_ITEM",
    /^items\[0\]\.quantity: 1000001, at most 1000000$/,
    () => items({ id: "i", quantity: 1_000_001 }),
  ],
];

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());
beforeEach(() => {
  rig.publisher.stored.length = 0;
});

describe.each(["grpc", "json"] as const)("over %s", (form) => {
  test.each(BAD)("%s %s, and the events around it are stored", async (reason, message, bad) => {
    const answer = await rig[form]().send({ events: [{ name: "first" }, bad(), { name: "last" }] });
    expect(answer.statuses).toEqual([ACCEPTED, REJECTED, ACCEPTED]);
    expect([answer.accepted, answer.duplicates, answer.rejected]).toEqual([2, 0, 1]);
    expect(answer.rejections.map(({ index, reason }) => [index, RejectReason[reason]])).toEqual([
      [1, reason],
    ]);
    expect(answer.rejections[0]!.message).toMatch(message);
    expect(rig.publisher.names()).toEqual(["first", "last"]);
  });

  test("an event at every limit is taken", async () => {
    const event: EventInit = {
      eventId: "x".repeat(64),
      name: "é".repeat(32),
      clientTime: inMs(-RETENTION_DAYS * 24 * HOUR + 60_000),
      visitorId: "x".repeat(128),
      sessionId: "x".repeat(128),
      url: "HTTPS://a/".padEnd(4_096, "x"),
      referrer: "not an address ".padEnd(4_096, "x"),
      userAgent: "x".repeat(2_048),
      ip: "2001:db8::192.0.2.1",
      language: "x".repeat(35),
      screen: { width: 1, height: 65_535 },
      properties: { ...many(63), ["k".repeat(64)]: "x".repeat(1_024) },
      order: { id: "x".repeat(64), revenueMicros: 10n ** 15n, currency: "XCG", coupon: "x".repeat(64) },
      items: Array.from({ length: 200 }, () => ({ id: "i", quantity: 1_000_000, priceMicros: 10n ** 15n })),
    };
    const soon = { name: "soon", eventId: v7(Date.now() + 23 * HOUR), clientTime: inMs(23 * HOUR) };
    const answer = await rig[form]().send({ events: [{ ...event, eventId: form }, soon] });
    expect(answer.rejections).toEqual([]);
    expect(rig.publisher.rows()[0]).toMatchObject({
      name: "é".repeat(32),
      screenHeight: 65_535,
      order: { revenueMicros: 1e15, currency: "XCG" },
    });
    expect(rig.publisher.rows()[0]!.items).toHaveLength(200);
  });
});
