import { expect, test } from "vitest";
import type { Filter, Test } from "../../question/filter.ts";
import type { Question } from "../../question/question.ts";
import { DIMENSIONS } from "../../schema/dimensions.ts";
import { METRICS } from "../../schema/metrics.ts";
import { evaluate } from "./evaluate.ts";
import type { Order, StoredEvent, Touch } from "./event.ts";
import { passesTest } from "./filter.ts";
import { percentileCont } from "./metrics.ts";

const MINUTE_MS = 60_000;
const DAY = Date.UTC(2025, 2, 29);

const dimension = (name: string) => DIMENSIONS.find((one) => one.name === name)!;
const metric = (name: string) => METRICS.find((one) => one.name === name)!;

let ids = 0;
/** An event so many minutes into 2025-03-29. */
function at(
  minute: number,
  session: number,
  more: Partial<StoredEvent> & { page?: string } = {},
): StoredEvent {
  const { page, ...rest } = more;
  return {
    merchantId: 1,
    id: `00000000-0000-0000-0000-${String(++ids).padStart(12, "0")}`,
    time: DAY + minute * MINUTE_MS,
    visitor: session,
    user: null,
    session,
    processorVersion: 1,
    name: "page_view",
    texts: { page: page ?? null },
    screen: null,
    properties: {},
    isBot: false,
    isPassive: false,
    activeMs: null,
    scrollPercent: null,
    stage: 0,
    touch: null,
    order: null,
    items: [],
    ...rest,
  };
}

const order = (kind: number, revenueMicros: bigint | null): Order => ({
  ...{ kind, revenueMicros, taxMicros: null, shippingMicros: null, discountMicros: null },
  ...{ coupon: null, currency: null, market: null, paymentMethod: null },
});

const touch = (channel: string): Touch => ({
  ...{ channel, source: null, medium: null, campaign: null, campaignId: null },
  ...{ campaignTerm: null, campaignContent: null, clickId: null },
});

const EVENTS: readonly StoredEvent[] = [
  // From before midnight, by a search; an order in the day.
  at(-2, 1, { page: "/landing", touch: touch("Organic Search") }),
  at(1, 1, { page: "/a" }),
  at(2, 1, { page: "/b", name: "purchase", stage: 5, order: order(1, 70_000_000n), touch: touch("Email") }),
  // One page view, and a passive event 3 s later: a bounce.
  at(600, 2, { page: "/a", activeMs: 3_000 }),
  at(600.05, 2, { page: "/a", name: "impression", isPassive: true }),
  // Goes on behind the day; visitor 2 again.
  at(1_439, 3, { page: "/b", visitor: 2, stage: 3 }),
  at(1_441, 3, { page: "/c", visitor: 2 }),
  at(700, 4, { page: "/bot", isBot: true }),
  at(700, 5, { page: "/other", merchantId: 2 }),
];

function ask(
  metrics: readonly string[],
  dimensions: readonly string[] = [],
  more: Partial<Question> = {},
  events = EVENTS,
) {
  const { rows, totals } = evaluate(events, {
    merchant: { merchantId: 1, partitionId: 0, timeZone: "UTC", currency: "EUR" },
    timeZone: "UTC",
    traffic: "people",
    accuracy: "exact",
    identity: "visitor",
    spans: [{ start: DAY, end: DAY + 1_440 * MINUTE_MS }],
    metrics: metrics.map(metric),
    dimensions: dimensions.map(dimension),
    orderBy: [],
    includeEmpty: false,
    offset: 0,
    limit: 100,
    ...more,
  });
  return {
    rows: rows.map((row) => [...row.dimensions, ...row.metrics.flat().map(Number)]),
    totals: totals.flat().map(Number),
  };
}

const only = (name: string, one: Test): Filter => ({ kind: "test", field: dimension(name), test: one });
const is = (name: string, value: string): Filter => only(name, { kind: "in", values: [value] });

test("counts, sums and ratios of a day, with whole sessions", () => {
  const names = ["events", "page_views", "visitors", "sessions", "orders", "revenue", "average_order_value"];
  expect(ask(names).totals).toEqual([5, 3, 2, 3, 1, 70_000_000, 70]);
  expect(ask(["engaged_sessions", "bounces", "bounce_rate"]).totals).toEqual([2, 1, 1 / 3]);
  // 240 s, 3 s and 120 s.
  expect(ask(["session_duration"]).totals).toEqual([121]);
  expect(ask(["new_visitors", "returning_visitors"]).totals).toEqual([1, 1]);
  expect(ask(["events"], [], { traffic: "bots" }).totals).toEqual([1]);
  // A cart without an order.
  expect(ask(["cart_sessions", "cart_abandonment", "checkout_abandonment"]).totals).toEqual([
    1,
    1,
    Number.NaN,
  ]);
});

test("entrances and exits are where they lie; entry and exit pages those of whole sessions", () => {
  expect(ask(["entrances", "exits"], ["page"]).rows).toEqual([
    ["/a", 1, 2],
    ["/b", 1, 0],
  ]);
  expect(ask(["sessions"], ["entry_page", "exit_page"]).rows).toEqual([
    ["/a", "/a", 1],
    ["/b", "/c", 1],
    ["/landing", "/a", 1],
  ]);
  expect(ask(["events"], ["channel"]).rows).toEqual([
    ["Organic Search", 2],
    [null, 3],
  ]);
});

test("filters by values and behavior", () => {
  expect(ask(["events"], [], { filter: is("page", "/a") }).totals).toEqual([3]);
  const did = (subject: "session" | "visitor", page: string, atMost?: number): Filter => ({
    ...{ kind: "behavior", subject, event: is("page", page) },
    ...{ atLeast: atMost === undefined ? 1 : 0, atMost },
  });
  expect(ask(["events"], [], { filter: did("session", "/landing") }).totals).toEqual([2]);
  // What it did before the day is not the visitor's within the period.
  expect(ask(["events"], [], { filter: did("visitor", "/landing") }).totals).toEqual([0]);
  expect(ask(["events"], [], { filter: did("session", "/a", 0) }).totals).toEqual([1]);
  expect(ask(["events"], [], { filter: { kind: "not", of: is("channel", "x") } }).totals).toEqual([5]);
});

test.each<[string | null, Test, boolean]>([
  [null, { kind: "text", match: "contains", value: "", ignoreCase: false }, false],
  [null, { kind: "empty", isEmpty: true }, true],
  ["/a/b", { kind: "text", match: "wildcard", value: "/*", ignoreCase: false }, false],
  ["/a/b", { kind: "text", match: "wildcard", value: "/**", ignoreCase: false }, true],
  ["/a_b", { kind: "text", match: "wildcard", value: "/A_*", ignoreCase: true }, true],
  ["/a", { kind: "text", match: "regex", value: "a$", ignoreCase: false }, true],
  ["7", { kind: "number", min: 7, max: 8 }, true],
  ["7", { kind: "number", max: 7 }, false],
])("%j passes %j: %j", (value, one, expected) => {
  expect(passesTest(value === "7" ? 7 : value, one)).toBe(expected);
});

test("all buckets are there where time is alone, and hours are those of the zone", () => {
  const half = DAY + 720 * MINUTE_MS;
  const spans = [{ start: DAY, end: half + 1, edges: [DAY, half, half + 1] }] as const;
  expect(ask(["events"], ["time"], { spans }).rows).toEqual([
    [0, 4],
    [1, 0],
  ]);
  // 00:01, 10:00 and 23:59 UTC on a Saturday; Kathmandu is 5:45 ahead.
  expect(ask(["page_views"], ["weekday", "hour"], { timeZone: "Asia/Kathmandu" }).rows).toEqual([
    [6, 5, 1],
    [6, 15, 1],
    [7, 5, 1],
  ]);
});

test("two spans, order by change, rows by metrics, and the rest of the values", () => {
  const before = { start: DAY - 1_440 * MINUTE_MS, end: DAY };
  const spans = [{ start: DAY, end: DAY + 1_440 * MINUTE_MS }, before] as const;
  expect(ask(["events"], ["page"], { spans }).rows).toEqual([
    ["/a", 3, 0],
    ["/b", 2, 0],
    ["/landing", 0, 1],
  ]);
  const byChange = [{ by: { metric: 0 }, ascending: true, byChange: true }];
  expect(ask(["events"], ["page"], { spans, orderBy: byChange }).rows[0]).toEqual(["/landing", 0, 1]);
  const metricFilter = { kind: "test", field: metric("events"), test: { kind: "number", min: 3 } } as const;
  expect(ask(["events"], ["page"], { metricFilter }).rows).toEqual([["/a", 3]]);
  expect(ask(["events", "visitors"], ["page"], { topValues: 1 }).rows).toEqual([
    ["/a", 3, 2],
    [null, 2, 2],
  ]);
});

test("items are counted themselves, events by whether they have such ones", () => {
  const item = {
    ...{ id: "shoe", name: null, brand: null, category: null, variant: null, list: null, promotion: null },
    ...{ stage: 5, quantityMicros: 2_500_000n, revenueMicros: 30n },
  };
  const back = { ...item, stage: 6, quantityMicros: 500_000n, revenueMicros: -10n };
  const events = [
    at(1, 1, { items: [item, { ...item, id: "sock" }] }),
    at(2, 1, { items: [back] }),
    at(3, 2),
  ];
  const filter = is("item_id", "shoe");
  expect(
    ask(["items_bought", "item_revenue", "item_buyers", "events"], [], { filter }, events).totals,
  ).toEqual([2, 20, 1, 2]);
  expect(ask(["items_bought"], ["item_id"], {}, events).rows).toEqual([
    ["shoe", 2],
    ["sock", 2.5],
  ]);
});

test("quantiles lie between the values beside them", () => {
  expect(percentileCont([1, 2, 4, 8], 0.5)).toBe(3);
  expect(percentileCont([1, 2, 4, 8], 0.9)).toBeCloseTo(6.8);
  expect(percentileCont([], 0.5)).toBeNaN();
});
