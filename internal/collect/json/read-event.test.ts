import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type TypedEvent, typed } from "../../event/testing/typed.ts";
import { AdjustmentKind, RejectReason } from "../../gen/footfall/collect/v1/collect_pb.js";
import { Consent, type Event, EventSchema } from "../../gen/footfall/event/v1/event_pb.js";
import { encoded } from "../testing/random-event.ts";
import { parseJson } from "./parse.ts";
import { readJsonEvent } from "./read-event.ts";

const NOW = Date.UTC(2026, 5, 1);

/** What becomes of an event's JSON, which is written as an object or as its text. */
function read(json: object | string) {
  const event = readJsonEvent(typeof json === "string" ? parseJson(json) : JSON.parse(JSON.stringify(json)));
  if ("reason" in event) return { refused: RejectReason[event.reason], message: event.message };
  const { bytes, adjustments = [] } = event instanceof Uint8Array ? { bytes: event } : event;
  const told = adjustments.map(({ kind, field }) => `${field} ${AdjustmentKind[kind]}`);
  return { event: fromBinary(EventSchema, bytes), told };
}

test("an event in protobuf's JSON becomes the bytes that it has in protobuf", () => {
  fc.assert(
    fc.property(encoded(NOW), fc.boolean(), (bytes, useProtoFieldName) => {
      const event = fromBinary(EventSchema, bytes);
      // protobuf's JSON has none of the years before 1.
      fc.pre((event.clientTime?.seconds ?? 0n) > -60_000_000_000n);
      const json = toJson(EventSchema, event, { useProtoFieldName });
      expect(readJsonEvent(parseJson(JSON.stringify(json)))).toEqual(new Uint8Array(bytes));
    }),
    { numRuns: 500 },
  );
});

const LENIENT: [name: string, json: object | string, event: TypedEvent, told?: string[]][] = [
  [
    "null",
    { name: "a", url: null, order: null, items: null, properties: null, screen: null, clientTime: null },
    {},
  ],
  ["empty texts", { name: "a", url: "", clientTime: "", screen: "" }, {}],
  ["PHP's empty lists", { name: "a", order: [], items: [], properties: [], screen: [] }, {}],
  ["unknown fields", { name: "a", foo: { bar: [1] } }, {}],
  [
    "numeric ids",
    { name: "a", visitorId: 12, session_id: 0, order: { id: 1001 } },
    { visitorId: "12", sessionId: "0", order: { id: "1001" } },
  ],
  [
    "an id that no double holds",
    '{"name":"a","order":{"id":1234567890123456789}}',
    { order: { id: "1234567890123456789" } },
  ],
  [
    "properties of all kinds",
    { name: "a", properties: { price: 12.5, member: true, ref: null, s: "x" } },
    { properties: { price: 12.5, member: true, s: "x" } },
  ],
  [
    "properties as generated clients write them",
    { name: "a", properties: { a: { number: 1 }, b: { text: "x" }, c: { boolean: false } } },
    { properties: { a: 1, b: "x", c: false } },
  ],
  [
    "consent, engagement and costs",
    {
      name: "a",
      consent: "denied",
      passive: true,
      engagement: { activeMs: "1500", scroll_percent: 80.4 },
      order: { id: "o", costMicros: 0 },
    },
    {
      consent: Consent.DENIED,
      passive: true,
      engagement: { activeMs: 1_500, scrollPercent: 80 },
      order: { id: "o", costMicros: 0n },
    },
    ["engagement.scroll_percent ROUNDED"],
  ],
  [
    "nested properties",
    { name: "a", properties: { a: { b: 1 }, c: [1, "x"] } },
    { properties: { a: '{"b":1}', c: '[1,"x"]' } },
    ["properties.a REPLACED", "properties.c REPLACED"],
  ],
  [
    "a property named __proto__",
    '{"name":"a","properties":{"__proto__":"x"}}',
    { properties: JSON.parse('{"__proto__":"x"}') },
  ],
  ["properties that are a list", { name: "a", properties: ["x"] }, {}, ["properties DROPPED"]],
  [
    "half a surrogate pair",
    '{"name":"a","properties":{"title":"Sale \\ud83d"}}',
    { properties: { title: "Sale \ufffd" } },
    ["properties.title REPLACED"],
  ],
  ["epoch seconds", { name: "a", clientTime: 1_764_450_000 }, { clientTime: { seconds: 1_764_450_000n } }],
  [
    "an optional text of another kind",
    { name: "a", url: ["x"], language: {}, userAgent: false },
    {},
    ["url DROPPED", "user_agent DROPPED", "language DROPPED"],
  ],
  [
    "amounts as numbers",
    { name: "a", order: { id: "o", revenueMicros: 1_500_000_000_000_000, tax_micros: 5 } },
    { order: { id: "o", revenueMicros: 1_500_000_000_000_000n, taxMicros: 5n } },
  ],
  [
    "a fraction of a micro",
    { name: "a", order: { id: "o", revenueMicros: "19.5" } },
    { order: { id: "o", revenueMicros: 20n } },
    ["order.revenue_micros ROUNDED"],
  ],
  [
    "amounts with an exponent",
    { name: "a", order: { id: "o", revenueMicros: "5e7" } },
    { order: { id: "o", revenueMicros: 50_000_000n } },
  ],
  [
    "an order's further amounts that are none",
    { name: "a", order: { id: "o", taxMicros: [], discountMicros: "x" } },
    { order: { id: "o" } },
    ["order.tax_micros DROPPED", "order.discount_micros DROPPED"],
  ],
  [
    "a refund with an item's fraction",
    { name: "a", refund: { id: 1, orderId: 2, amount_micros: "3", items: [{ id: 4, quantity: "2.5" }] } },
    {
      refund: { id: "1", orderId: "2", amountMicros: 3n, items: [{ id: "4", quantityMicros: 2_500_000n }] },
    },
  ],
  [
    "quantities",
    {
      name: "a",
      items: [
        { id: "x", quantity: 3 },
        { id: "y", quantityMicros: 5 },
        { id: "z", quantity: "0.12345678" },
      ],
    },
    {
      items: [
        { id: "x", quantityMicros: 3_000_000n },
        { id: "y", quantityMicros: 5n },
        { id: "z", quantityMicros: 123_457n },
      ],
    },
    ["items[2].quantity ROUNDED"],
  ],
  [
    "a single item",
    { name: "a", items: { id: 7, priceMicros: "100" } },
    { items: [{ id: "7", priceMicros: 100n }] },
  ],
  [
    "PHP's list with gaps",
    { name: "a", items: { 0: { id: "x" }, 2: { id: "y" } } },
    { items: [{ id: "x" }, { id: "y" }] },
  ],
  [
    "what is no item",
    { name: "a", items: [null, { id: "x" }, "y"] },
    { items: [{ id: "x" }] },
    ["items[0] DROPPED", "items[2] DROPPED"],
  ],
  [
    "an item's price that is none",
    { name: "a", items: [{ id: "x", priceMicros: "free" }] },
    { items: [{ id: "x" }] },
    ["items[0].price_micros DROPPED"],
  ],
  [
    "a screen of fractions",
    { name: "a", screen: { width: 412.5, height: "915" } },
    { screen: { width: 413, height: 915 } },
    ["screen ROUNDED"],
  ],
  ["a screen as text", { name: "a", screen: "1920x1080" }, { screen: { width: 1920, height: 1080 } }],
  ["a screen that is none", { name: "a", screen: "wide" }, {}, ["screen DROPPED"]],
];

test.each(LENIENT)("%s", (_, json, event, told = []) => {
  expect(read(json)).toEqual({ event: create(EventSchema, typed({ name: "a", ...event })), told });
});

const REFUSED: [json: unknown, reason: keyof typeof RejectReason, message: RegExp][] = [
  [null, "MALFORMED", /^event: null, must be an object$/],
  [[], "MALFORMED", /^event: a list/],
  ["x", "MALFORMED", /^event: a string/],
  [{ name: ["a"] }, "MALFORMED", /^name: a list, must be text/],
  [
    { name: "a", clientTime: "2026-11-29 10:00:00" },
    "INVALID_TIME",
    /^client_time: "2026-11-29 10:00:00" is no time/,
  ],
  [{ name: "a", client_time: true }, "INVALID_TIME", /^client_time: a boolean true/],
  [{ name: "a", order: "o1" }, "MALFORMED", /^order: a string, must be an object/],
  [{ name: "a", order: [{ id: "o" }] }, "MALFORMED", /^order: a list/],
  [{ name: "a", order: { id: {} } }, "ORDER_ID_MISSING", /^order\.id: an object/],
  [
    { name: "a", order: { id: "o", revenueMicros: "NaN" } },
    "INVALID_AMOUNT",
    /^order\.revenue_micros: "NaN"/,
  ],
  [{ name: "a", order: { id: "o", revenueMicros: "1,234" } }, "INVALID_AMOUNT", /"1,234" is no amount/],
  [{ name: "a", order: { id: "o", revenueMicros: 1e30 } }, "INVALID_AMOUNT", /^order\.revenue_micros/],
  [{ name: "a", refund: 5 }, "MALFORMED", /^refund: a number/],
  [{ name: "a", refund: { amountMicros: "all" } }, "INVALID_AMOUNT", /^refund\.amount_micros: "all"/],
  [{ name: "a", order: { id: "o", currency: true } }, "UNKNOWN_CURRENCY", /^order\.currency: a boolean/],
];

test.each(REFUSED)("%j is refused: %s", (json, reason, message) => {
  expect(read(JSON.stringify(json))).toEqual({ refused: reason, message: expect.stringMatching(message) });
});

const FIELDS =
  `name eventId clientTime visitorId sessionId url referrer userAgent ip language screen properties order items
  client_time order.id order.revenueMicros order.currency items.0.id items.0.quantity properties.x refund`.split(
    /\s+/,
  );

test("whatever stands in a field, nothing is thrown, and the bytes are a message", () => {
  fc.assert(
    fc.property(fc.constantFrom(...FIELDS), fc.jsonValue(), (path, value) => {
      const json: Record<string, unknown> = {
        name: "a",
        order: { id: "o" },
        items: [{ id: "i" }],
        properties: {},
      };
      const names = path.split(".");
      const parent = names.slice(0, -1).reduce((at, name) => at[name] as Record<string, unknown>, json);
      parent[names.at(-1)!] = value;
      const result = readJsonEvent(json);
      if ("reason" in result) expect(result.message).toMatch(/^[a-z_.]+: /);
      else expect(eventOf(result).name.isWellFormed()).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

function eventOf(result: Uint8Array | { readonly bytes: Uint8Array }): Event {
  const event = fromBinary(EventSchema, result instanceof Uint8Array ? result : result.bytes);
  expect(toBinary(EventSchema, event).length).toBeGreaterThan(0);
  return event;
}

test("what is nested without end is a text, or costs its own event", () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  expect(() => readJsonEvent(parseJson(`{"name":"a","properties":{"x":${deep}}}`))).not.toThrow();
});
