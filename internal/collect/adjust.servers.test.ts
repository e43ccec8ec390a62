import { createHash, createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { PlainRow } from "../event/testing/plain-row.ts";
import { type TypedEvent, typed } from "../event/testing/typed.ts";
import { AdjustmentKind, EventStatus } from "../gen/footfall/collect/v1/collect_pb.js";
import { VISITOR_ID_SECRET } from "./testing/fake-ingest.ts";
import { sendRaw, sendRequest, textField } from "./testing/raw.ts";
import { type Rig, startRig } from "./testing/rig.ts";

type EventInit = TypedEvent;
const { ACCEPTED } = EventStatus;

const DAY = 86_400_000;
/** A UUIDv7 of a time. */
const v7 = (ms: number) => {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7abc-8def-0123456789ab`;
};
const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
/** As event.proto and docs/processing.md have it, for merchant 1 of the rig. */
const hmac = (id: string | Buffer) => {
  const key = createHmac("sha256", VISITOR_ID_SECRET).update("visitor ids of merchant 1").digest();
  return `hmac:${createHmac("sha256", key).update(id).digest("hex").slice(0, 32)}`;
};
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, "v"]));
const order = (fields: object): EventInit => ({ order: { id: "o", ...fields } });
const sku = { id: "sku" };
const taken = { ...sku, priceMicros: 0n, quantityMicros: 1_000_000n };

/** What is sent beside a name, the field and what is done to it, and what is stored beside the name. */
const ODD: [field: string, kind: keyof typeof AdjustmentKind, sent: EventInit, stored: Partial<PlainRow>][] =
  [
    ["name", "CUT", { name: "é".repeat(257) }, { name: "é".repeat(256) }],
    ["name", "CUT", { name: "\u{1f6cd}".repeat(300) }, { name: "\u{1f6cd}".repeat(256) }],
    ["name", "REPLACED", { name: "a\0b" }, { name: "a\ufffdb" }],
    ["visitor_id", "HASHED", { visitorId: "x".repeat(257) }, { visitorId: hmac("x".repeat(257)) }],
    ["visitor_id", "HASHED", { visitorId: "a\0" }, { visitorId: hmac("a\0") }],
    ["visitor_id", "HASHED", { visitorId: "a1".repeat(129) }, { visitorId: sha256("a1".repeat(129)) }],
    ["session_id", "HASHED", { sessionId: "é".repeat(257) }, { sessionId: sha256("é".repeat(257)) }],
    ["user_agent", "CUT", { userAgent: "x".repeat(5_000) }, { userAgent: "x".repeat(4_096) }],
    ["language", "CUT", { language: "x".repeat(300) }, { language: "x".repeat(256) }],
    ["referrer", "CUT", { referrer: "x".repeat(9_000) }, { referrer: "x".repeat(8_192) }],
    ["url", "DROPPED", { url: "/checkout" }, {}],
    ["url", "DROPPED", { url: "shop.example/p" }, {}],
    ["url", "DROPPED", { url: "ftp://shop.example/" }, {}],
    ["url", "DROPPED", { url: "about:blank" }, {}],
    ["url", "DROPPED", { url: "https://" }, {}],
    ["url", "DROPPED", { url: "http://[::1" }, {}],
    ["url", "REPLACED", { url: "//shop.example/p" }, { url: "https://shop.example/p" }],
    ["url", "REPLACED", { url: " https://shop.example/p\n" }, { url: "https://shop.example/p" }],
    ["ip", "DROPPED", { ip: "unknown" }, {}],
    ["ip", "DROPPED", { ip: "300.1.1.1" }, {}],
    ["ip", "DROPPED", { ip: "x".repeat(100_000) }, {}],
    ["ip", "REPLACED", { ip: "192.0.2.1:5678" }, { ip: "192.0.2.0" }],
    ["ip", "REPLACED", { ip: "[2001:db8:1:2::9]:443" }, { ip: "2001:db8:1::" }],
    ["ip", "REPLACED", { ip: " 192.0.2.1, 198.51.100.7" }, { ip: "192.0.2.0" }],
    ["screen", "DROPPED", { screen: { width: 0, height: 600 } }, {}],
    ["screen", "DROPPED", { screen: { width: 800, height: 65_536 } }, {}],
    ["properties", "DROPPED", { properties: { "": "v", a: "b" } }, { properties: { a: "b" } }],
    ["properties", "DROPPED", { properties: many(65) }, { properties: many(64) }],
    ["properties", "DROPPED", { properties: many(5_000) }, { properties: many(64) }],
    [
      "properties",
      "CUT",
      { properties: { ["k".repeat(257)]: "v" } },
      { properties: { ["k".repeat(256)]: "v" } },
    ],
    [
      "properties.k",
      "CUT",
      { properties: { k: "x".repeat(2_049) } },
      { properties: { k: "x".repeat(2_048) } },
    ],
    ["properties.k", "REPLACED", { properties: { k: "\0" } }, { properties: { k: "\ufffd" } }],
    [
      "properties.Billing_Email",
      "REPLACED",
      { properties: { Billing_Email: "jane", name: "Spring sale" } },
      { properties: { Billing_Email: "(redacted)", name: "Spring sale" } },
    ],
    [
      "properties.k",
      "CUT",
      { properties: { k: "x".repeat(2 << 20) } },
      { properties: { k: "x".repeat(2_048) } },
    ],
    [
      "order.id",
      "HASHED",
      order({ id: "x".repeat(257) }),
      { order: { id: sha256("x".repeat(257)), revenueMicros: 0n } },
    ],
    ["order.tax_micros", "DROPPED", order({ taxMicros: -5n }), { order: { id: "o", revenueMicros: 0n } }],
    [
      "order.discount_micros",
      "DROPPED",
      order({ discountMicros: 10n ** 18n + 1n, shippingMicros: 7n }),
      { order: { id: "o", revenueMicros: 0n, shippingMicros: 7n } },
    ],
    [
      "order.coupon",
      "CUT",
      order({ coupon: "本".repeat(1_025) }),
      { order: { id: "o", revenueMicros: 0n, coupon: "本".repeat(1_024) } },
    ],
    [
      "items[0].name",
      "CUT",
      { items: [{ ...sku, name: "x".repeat(1_025) }] },
      { items: [{ ...taken, name: "x".repeat(1_024) }] },
    ],
    [
      "items[1].brand",
      "REPLACED",
      { items: [sku, { ...sku, brand: "\0" }] },
      { items: [taken, { ...taken, brand: "\ufffd" }] },
    ],
    [
      "items[0].id",
      "REPLACED",
      { items: [{ name: "shoe" }] },
      { items: [{ ...taken, id: "shoe", name: "shoe" }] },
    ],
    ["items[0].id", "DROPPED", { items: [{ brand: "b" }, sku] }, { items: [taken] }],
    ["items[0].price_micros", "DROPPED", { items: [{ ...sku, priceMicros: -1n }] }, { items: [taken] }],
    [
      "items[0].quantity_micros",
      "DROPPED",
      { items: [{ ...sku, quantityMicros: 10n ** 12n + 1n }] },
      { items: [taken] },
    ],
    ["items[0].quantity_micros", "DROPPED", { items: [{ ...sku, quantityMicros: -1n }] }, { items: [taken] }],
    [
      "items[0].price_micros",
      "DROPPED",
      { items: [{ ...sku, priceMicros: 10n ** 15n, quantityMicros: 10n ** 12n }] },
      { items: [{ ...taken, quantityMicros: 10n ** 12n }] },
    ],
    [
      "refund.id",
      "HASHED",
      { refund: { id: "x".repeat(257), orderId: "o" } },
      { order: { id: "o", revenueMicros: 0n, isRefund: 1, refundId: sha256("x".repeat(257)) } },
    ],
    ["items", "DROPPED", { items: new Array(5_000).fill(sku) }, { items: new Array(200).fill(taken) }],
  ];

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());
beforeEach(() => {
  rig.publisher.stored.length = 0;
});

/** A stored row without what has nothing to do with what was sent. */
function payload({ merchantId, eventId, receivedTime, clientTime, userAgent, ip, ...rest }: PlainRow) {
  const isOwn = userAgent !== undefined && !/connect/.test(userAgent);
  return { ...rest, ...(isOwn && { userAgent }), ...(ip !== undefined && !ip.startsWith("127.") && { ip }) };
}

describe.each(["grpc", "json"] as const)("over %s", (form) => {
  test.each(ODD)("%s is %s, and the event is taken", async (field, kind, sent, stored) => {
    const events = [{ name: "first" }, typed({ name: "odd", ...sent }), { name: "last" }];
    const answer = await rig[form]().send({ events });
    expect(answer.statuses).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
    const told = answer.adjustments.map(({ index, field, kind }) => [index, field, AdjustmentKind[kind]]);
    expect(told).toEqual([[1, field, kind]]);
    expect(payload(rig.publisher.rows()[1]!)).toEqual({ name: "odd", ...stored });
  });
});

test("what is over of an address is cut from its longest parameters", async () => {
  const click = "E_C_P_".repeat(2_000);
  const url = `https://shop.example/thanks?utm_source=tiktok&ttclid=${click}&utm_medium=paid#step=2`;
  const { adjustments } = await rig.grpc().send({ events: [{ name: "a", url, referrer: url }] });
  expect(adjustments.map(({ field, kind }) => [field, AdjustmentKind[kind]])).toEqual([
    ["url", "CUT"],
    ["referrer", "CUT"],
  ]);
  const [row] = rig.publisher.rows();
  expect(row!.url).toHaveLength(8_192);
  const { origin, pathname, searchParams, hash } = new URL(row!.url!);
  expect([origin + pathname, hash]).toEqual(["https://shop.example/thanks", "#step=2"]);
  expect([searchParams.get("utm_source"), searchParams.get("utm_medium")]).toEqual(["tiktok", "paid"]);
  expect(click.startsWith(searchParams.get("ttclid")!)).toBe(true);
  expect(row!.referrer).toBe(row!.url);
});

test("what is personal in a long address is taken out before it is cut", async () => {
  const url = `https://shop.example/?q=${"x".repeat(8_150)}%20jane.doe@mail.example&email=${"y".repeat(300)}`;
  await rig.grpc().send({ events: [{ name: "a", url, referrer: `${url}&to=${"z".repeat(300_000)}` }] });
  expect(rig.publisher.texts()).not.toMatch(/jane|doe@|yyy/);
});

test("what stands in for personal data makes no address longer than its limit", async () => {
  const url = `https://shop.example/?${"pin=1&".repeat(1_300)}`;
  await rig.grpc().send({ events: [{ name: "a", url, referrer: url }] });
  const [row] = rig.publisher.rows();
  expect([row!.url!.length, row!.referrer!.length]).toEqual([8_192, 8_192]);
  expect(row!.url).not.toContain("pin=1");
});

test("of a property that its key tells to be personal nothing is in the batch", async () => {
  const properties = {
    phone: "0301 234567",
    accessToken: "s3cr3t",
    "user[email]": "jane.doe",
    empty_email: "",
  };
  await rig.json().send({
    events: [typed({ name: "a", properties }), typed({ name: "b", properties })],
  });
  const kept = {
    phone: "(redacted)",
    accessToken: "(redacted)",
    "user[email]": "(redacted)",
    empty_email: "",
  };
  expect(rig.publisher.rows().map((row) => row.properties)).toEqual([kept, kept]);
  expect(rig.publisher.texts()).not.toMatch(/0301|s3cr3t|jane/);
});

test("a visitor's id that could be guessed is in no batch, and stays one visitor's", async () => {
  const uuid = "0190b3c4-7a2e-7abc-8def-0123456789ab";
  const ids = ["jane.doe@example.org", "+49 30 123456", "4711", uuid, "jane.doe@example.org"];
  const events = ids.map((visitorId) => ({ name: "a", visitorId }));
  const { adjustments } = await rig.grpc().send({ events });
  await rig.json("ffw_two").send({ events });
  const stored = rig.publisher.rows().map(({ merchantId, visitorId }) => [merchantId, visitorId]);
  const own = stored.flatMap(([merchant, id]) => (merchant === 1 ? [id] : []));
  const other = stored.flatMap(([merchant, id]) => (merchant === 2 ? [id] : []));
  expect(own).toEqual(ids.map((id) => (id === uuid ? uuid : hmac(id))));
  expect(other.filter((id) => own.includes(id))).toEqual([uuid]);
  expect(new Set(other).size).toBe(4);
  expect(rig.publisher.texts()).not.toMatch(/jane|49 30|4711/);
  // As truncated addresses, it is told in the documentation, not with every event.
  expect(adjustments).toEqual([]);
});

test("bytes that are no UTF-8 become U+FFFD, and make ids hashes", async () => {
  const broken = Buffer.from([0x61, 0xff, 0x62]);
  const event = Buffer.concat([2, 4, 6, 7].map((number) => textField(number, broken)));
  const answer = await sendRaw(rig.port, sendRequest([event]));
  expect(answer.statuses).toEqual([ACCEPTED]);
  const told = answer.adjustments.map(({ field, kind }) => `${field} ${AdjustmentKind[kind]}`);
  expect(told.sort()).toEqual([
    "name REPLACED",
    "referrer REPLACED",
    "url DROPPED",
    "url REPLACED",
    "visitor_id HASHED",
  ]);
  const visitorId = hmac(broken);
  expect(rig.publisher.rows()[0]).toMatchObject({ name: "a\ufffdb", referrer: "a\ufffdb", visitorId });
});

test.each([
  "https://shop.example/a b?q=x y",
  "https://bücher.example/straße",
  "https://shop.example/a\tb",
  "HTTP://SHOP.example:8080/%zz",
])("the address %j stays as it is", async (url) => {
  const answer = await rig.grpc().send({ events: [{ name: "a", url }] });
  expect([answer.accepted, answer.adjustments]).toEqual([1, []]);
  expect(rig.publisher.rows()[0]?.url).toBe(url);
});

test("an event_id whose time is years ahead is hashed, the same for every copy", async () => {
  const eventId = v7(Date.now() + 2 * DAY);
  const events = [
    { name: "a", eventId },
    { name: "soon", eventId: v7(Date.now() + DAY / 2) },
  ];
  const answer = await rig.grpc().send({ events });
  expect(answer.adjustments.map(({ index, field, kind }) => [index, field, kind])).toEqual([
    [0, "event_id", AdjustmentKind.HASHED],
  ]);
  const [first, second] = rig.publisher.rows();
  expect(first!.eventId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8/);
  expect(second!.eventId).toBe(events[1]!.eventId);
  const again = await rig.json().send({ events: [{ name: "a", eventId: eventId.toUpperCase() }] });
  expect(again.statuses).toEqual([EventStatus.DUPLICATE]);
});

test("at most 20 adjustments of an event and 200 of a request are told of", async () => {
  const items = new Array(100).fill({ id: "i", name: "\0" });
  const one = await rig.grpc().send({ events: [{ name: "a", items }] });
  expect(one.adjustments).toHaveLength(20);
  const all = await rig.grpc().send({ events: new Array(100).fill({ name: "a", items }) });
  expect([all.accepted, all.adjustments.length]).toEqual([100, 200]);
  const labels = { field: "items.name", kind: "REPLACED" };
  expect(await rig.count("footfall_collector_adjustments_total", labels)).toBeGreaterThanOrEqual(2_020);
});

test("an event takes no more than its part of a batch, whatever it holds", async () => {
  const text = () =>
    Array.from({ length: 1_024 }, () =>
      String.fromCodePoint(0x10000 + Math.floor(Math.random() * 0xffff)),
    ).join("");
  const items = Array.from({ length: 200 }, () => ({ id: text(), name: text(), brand: text() }));
  const answer = await rig.grpc().send({ events: [{ name: "a", items }, { name: "b" }] });
  expect(answer.statuses).toEqual([ACCEPTED, ACCEPTED]);
  expect(answer.adjustments).toMatchObject([{ index: 0, field: "items", kind: AdjustmentKind.DROPPED }]);
  expect(rig.publisher.texts().length).toBeLessThan(1.2e6);
  expect(rig.publisher.names()).toEqual(["a", "b"]);
});
