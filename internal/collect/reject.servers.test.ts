import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { valuesOf } from "../event/property-value.ts";
import { EventStatus, RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import type { EventSchema } from "../gen/footfall/event/v1/event_pb.js";
import { RETENTION_DAYS } from "./testing/fake-ingest.ts";
import { type Rig, startRig } from "./testing/rig.ts";

type EventInit = MessageInitShape<typeof EventSchema>;
const { ACCEPTED, REJECTED } = EventStatus;

const HOUR = 3_600_000;
const inMs = (ms: number) => timestampFromMs(Date.now() + ms);
const order = { id: "A-1" };
const amounts = (fields: object): EventInit => ({ name: "bad", order: { ...order, ...fields } });

/** The reason, the message, and an event that is rejected for it; made when it is sent. */
const BAD: [keyof typeof RejectReason, RegExp, () => EventInit][] = [
  ["NAME_MISSING", /^name: is missing$/, () => ({ url: "https://shop.example/" })],
  [
    "TIME_TOO_OLD",
    /^client_time: 20\d\d-.*Z is older than 30 days/,
    () => ({ name: "bad", clientTime: inMs(-31 * 24 * HOUR) }),
  ],
  ["TIME_TOO_OLD", /^client_time: 1969-/, () => ({ name: "bad", clientTime: timestampFromMs(-1) })],
  ["ORDER_ID_MISSING", /^order\.id: is missing$/, () => ({ name: "bad", order: { revenueMicros: 1n } })],
  ["INVALID_AMOUNT", /^order\.revenue_micros: -1 is outside/, () => amounts({ revenueMicros: -1n })],
  [
    "INVALID_AMOUNT",
    /^order\.revenue_micros: 1000000000000000001 /,
    () => amounts({ revenueMicros: 10n ** 18n + 1n }),
  ],
  [
    "INVALID_AMOUNT",
    /^order\.revenue_micros: 9223372036854775807/,
    () => amounts({ revenueMicros: 2n ** 63n - 1n }),
  ],
  ["UNKNOWN_CURRENCY", /^order\.currency: .*"EURO"$/, () => amounts({ currency: "EURO" })],
  [
    "UNKNOWN_CURRENCY",
    /^order\.currency: withdrawn from ISO 4217 in 2002-03, .*"dem"$/,
    () => amounts({ currency: "dem" }),
  ],
  [
    "ORDER_ID_MISSING",
    /^refund\.order_id: is missing$/,
    () => ({ name: "bad", refund: { id: "r", amountMicros: 1n } }),
  ],
  [
    "INVALID_AMOUNT",
    /^refund\.amount_micros: -1 is outside/,
    () => ({ name: "bad", refund: { orderId: "o", amountMicros: -1n } }),
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

  test("an event at every limit is taken as it is", async () => {
    const long = (characters: number) => "\u{1f6cd}".repeat(characters);
    // As many, or as dear, as an item may be; both at once are worth too much.
    const items = [
      { id: "i", quantityMicros: 10n ** 12n, priceMicros: 10n ** 12n },
      { id: "i", quantityMicros: 10n ** 6n, priceMicros: 10n ** 18n },
    ];
    const event: EventInit = {
      eventId: "x".repeat(1_000),
      name: long(256),
      clientTime: inMs(-RETENTION_DAYS * 24 * HOUR + 60_000),
      visitorId: `a1b2c3d4${long(248)}`,
      sessionId: long(256),
      url: `HTTPS://a/${long(8_182)}`,
      referrer: `not an address ${long(8_177)}`,
      userAgent: long(4_096),
      ip: "2001:db8::192.0.2.1",
      language: long(256),
      screen: { width: 1, height: 65_535 },
      properties: valuesOf({ ...many(63), [long(256)]: long(2_048) }),
      order: { id: long(256), revenueMicros: 10n ** 18n, currency: "XCG", coupon: long(1_024) },
      items: Array.from({ length: 200 }, (_, at) => ({ ...items[at % 2]!, name: "送".repeat(1_024) })),
    };
    const answer = await rig[form]().send({ events: [{ ...event, eventId: form }] });
    expect([answer.rejections, answer.adjustments]).toEqual([[], []]);
    expect(rig.publisher.rows()[0]).toMatchObject({
      name: long(256),
      visitorId: `a1b2c3d4${long(248)}`,
      url: event.url,
      referrer: event.referrer,
      userAgent: long(4_096),
      screenHeight: 65_535,
      properties: { ...many(63), [long(256)]: long(2_048) },
      order: { id: long(256), revenueMicros: 10n ** 18n, currency: "XCG", coupon: long(1_024) },
    });
    expect(rig.publisher.rows()[0]!.items?.[199]).toMatchObject({ name: "送".repeat(1_024) });
  });
});

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, "v"]));
