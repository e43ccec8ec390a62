import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { partitionOf } from "../event/partition.ts";
import { getReport, type Merchant, type Report, type ReportRequest } from "./get-report.ts";
import { METRICS } from "./metrics/registry.ts";
import {
  A,
  B,
  insertRows,
  markStale,
  PARTITIONS,
  type Row,
  randomRows,
  refreshTotals,
} from "./testing/fixture.ts";
import { expectedSeries, recount } from "./testing/recount.ts";

// A year thinly, and days densely on which clocks change: Berlin (March, October), Lord Howe (April, October).
const REFRESHED: Row[] = [
  ...randomRows(1, "2024-12-20T00:00Z", "2026-01-10T00:00Z", 2_000),
  ...randomRows(2, "2025-03-29T00:00Z", "2025-04-01T00:00Z", 1_000),
  ...randomRows(3, "2025-04-05T00:00Z", "2025-04-07T00:00Z", 1_000),
  ...randomRows(4, "2025-10-04T00:00Z", "2025-10-06T00:00Z", 1_000),
  ...randomRows(5, "2025-10-25T00:00Z", "2025-10-28T00:00Z", 1_000),
];
// Right on edges that the tests ask for, where an event belongs to the later bucket, or to none.
const ON_EDGES: Row[] = [
  "2025-03-28T23:00Z",
  "2025-03-29T23:00Z",
  "2025-03-30T09:58Z",
  "2025-03-30T10:33Z",
  "2025-03-30T22:00Z",
  "2025-03-31T18:15Z",
  "2025-03-31T22:00Z",
  "2025-10-04T14:30Z",
  "2025-10-05T13:00Z",
  "2026-01-06T00:00Z",
].flatMap((iso, index) => {
  const row = { ts: Date.parse(iso), visitor: 9_000 + index, session: index, name: "page_view" };
  return [A, B].map((merchantId) => ({ ...row, merchantId, orderId: `edge-${index}`, revenue: 1n }));
});
// Committed after the last refresh, some of them into quarter hours that the aggregate already has.
const STALE: Row[] = [
  ...randomRows(6, "2025-03-30T10:00Z", "2025-03-30T11:10Z", 100),
  ...randomRows(7, "2025-06-01T00:00Z", "2025-06-01T04:00Z", 60),
];
const ROWS = [...REFRESHED, ...ON_EDGES, ...STALE];

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  await insertRows(database.pool, [...REFRESHED, ...ON_EDGES]);
  await refreshTotals(database.pool);
  await insertRows(database.pool, STALE);
  await markStale(database.pool, STALE);
});
afterAll(() => database?.close());

function report(merchantId: number, request: ReportRequest): Promise<Report> {
  const merchant: Merchant = { merchantId, timeZone: "UTC", currency: "EUR" };
  return getReport(
    { pool: database.pool, partitions: PARTITIONS, statementTimeoutMs: 30_000 },
    merchant,
    request,
  );
}

const dates = (start: string, end = start) => ({ kind: "dates", start, end }) as const;
const times = (start: string, end: string) => {
  const ns = (iso: string) => Temporal.Instant.from(iso).epochNanoseconds;
  return { kind: "times", startNs: ns(start), endNs: ns(end) } as const;
};

/** Compares every series with a count of the fixture's rows in the given buckets. */
function expectCounts(answer: Report, merchantId: number, edges: readonly number[], rows = ROWS): void {
  expect(answer.edges).toEqual(edges);
  expect(answer.series.map(({ metric, values, total }) => ({ metric, values, total }))).toEqual(
    expectedSeries(rows, merchantId, edges),
  );
  for (const { metric, unit } of answer.series) expect(unit).toBe(METRICS[metric].unit);
  const own = rows.filter((r) => r.merchantId === merchantId && r.ts >= edges[0]! && r.ts < edges.at(-1)!);
  expect(answer.unconvertedOrders).toBe(recount(own).unconverted_orders);
}

const at = (...isos: string[]) => isos.map((iso) => Date.parse(iso));
/** Edges of `count` equal buckets. */
const every = (ms: number, start: string, count: number) =>
  Array.from({ length: count + 1 }, (_, index) => Date.parse(start) + index * ms);
const HOUR = 3_600_000;

test.each([
  [
    "spring",
    "2025-03-29",
    "2025-03-31",
    at("2025-03-28T23:00Z", "2025-03-29T23:00Z", "2025-03-30T22:00Z", "2025-03-31T22:00Z"),
  ],
  [
    "autumn",
    "2025-10-25",
    "2025-10-27",
    at("2025-10-24T22:00Z", "2025-10-25T22:00Z", "2025-10-26T23:00Z", "2025-10-27T23:00Z"),
  ],
])("days of 23 and 25 hours: Berlin in %s", async (_, start, end, edges) => {
  const answer = await report(A, { range: dates(start, end), timeZone: "Europe/Berlin" });
  expectCounts(answer, A, edges);
  expect(answer).toMatchObject({
    merchantId: A,
    timeZone: "Europe/Berlin",
    granularity: "day",
    currency: "EUR",
  });
});

test.each(["day", "minute"] as const)(
  "bots are counted when they are asked for: by %s",
  async (granularity) => {
    const range = { range: dates("2025-10-26"), granularity };
    const people = await report(A, range);
    const all = await report(A, { ...range, includeBots: true });
    const shown = all.series.map(({ metric, values, total }) => ({ metric, values, total }));
    expect(shown).toEqual(expectedSeries(ROWS, A, all.edges, true));
    expect(shown).not.toEqual(expectedSeries(ROWS, A, all.edges));
    expectCounts(people, A, all.edges);
  },
);

test("hours of Berlin's days of 23 and 25 hours", async () => {
  const hours = (day: string) =>
    report(A, { range: dates(day), timeZone: "Europe/Berlin", granularity: "hour" });
  expectCounts(await hours("2025-03-30"), A, every(HOUR, "2025-03-29T23:00Z", 23));
  expectCounts(await hours("2025-10-26"), A, every(HOUR, "2025-10-25T22:00Z", 25));
});

test("Kathmandu's days begin at a quarter past", async () => {
  const answer = await report(B, { range: dates("2025-03-29", "2025-03-31"), timeZone: "Asia/Kathmandu" });
  expectCounts(answer, B, every(24 * HOUR, "2025-03-28T18:15Z", 3));
});

test("Lord Howe's half hour", async () => {
  const timeZone = "Australia/Lord_Howe";
  const days = await report(A, { range: dates("2025-04-05", "2025-04-06"), timeZone });
  expectCounts(days, A, at("2025-04-04T13:00Z", "2025-04-05T13:00Z", "2025-04-06T13:30Z"));
  const hours = await report(A, { range: dates("2025-10-05"), timeZone, granularity: "hour" });
  expectCounts(hours, A, [
    Date.parse("2025-10-04T13:30Z"),
    Date.parse("2025-10-04T14:30Z"),
    ...every(HOUR, "2025-10-04T16:00Z", 21),
  ]);
});

test("minutes, off the quarter hours", async () => {
  const range = times("2025-03-30T09:58:00Z", "2025-03-30T10:33:00Z");
  const answer = await report(A, { range, granularity: "minute" });
  expectCounts(answer, A, every(60_000, "2025-03-30T09:58Z", 35));
  expect(answer.series[0]!.total).toBeGreaterThan(0n);
});

test("quarter hours, the first and the last cut by the range", async () => {
  const range = times("2025-03-30T09:59:00Z", "2025-03-30T10:31:00Z");
  const edges = at(
    "2025-03-30T09:59Z",
    "2025-03-30T10:00Z",
    "2025-03-30T10:15Z",
    "2025-03-30T10:30Z",
    "2025-03-30T10:31Z",
  );
  expectCounts(await report(A, { range, granularity: "quarter_hour" }), A, edges);
});

test("months over more than a year, cut at the range", async () => {
  const answer = await report(A, { range: dates("2024-12-24", "2026-01-05"), granularity: "month" });
  const months = Array.from({ length: 13 }, (_, month) => Date.UTC(2025, month, 1));
  expectCounts(answer, A, [Date.UTC(2024, 11, 24), ...months, Date.UTC(2026, 0, 6)]);
  expect(answer.unconvertedOrders).toBeGreaterThan(100n);
});

test("weeks from Monday", async () => {
  const answer = await report(B, { range: dates("2025-03-29", "2025-04-08"), granularity: "week" });
  expectCounts(answer, B, at("2025-03-29", "2025-03-31", "2025-04-07", "2025-04-09"));
});

test("what was committed since the last refresh is counted, from every source alike", async () => {
  const day = await report(A, { range: dates("2025-06-01") });
  expectCounts(day, A, at("2025-06-01", "2025-06-02"));
  const fresh = STALE.filter((row) => row.merchantId === A && row.ts >= Date.parse("2025-06-01"));
  expect(day.series[0]!.total).toBeGreaterThanOrEqual(BigInt(fresh.length));
});

test("a merchant sees its own rows only", async () => {
  const range = dates("2024-12-20", "2026-01-09");
  const [a, b] = [
    await report(A, { range, granularity: "month" }),
    await report(B, { range, granularity: "month" }),
  ];
  const edges = [
    Date.UTC(2024, 11, 20),
    ...Array.from({ length: 13 }, (_, m) => Date.UTC(2025, m, 1)),
    Date.UTC(2026, 0, 10),
  ];
  expectCounts(a, A, edges);
  expectCounts(b, B, edges);
  expect(a.series[0]!.total + b.series[0]!.total).toBe(BigInt(ROWS.filter(({ isBot }) => !isBot).length));
});

test("plain SQL over the rows agrees", async () => {
  const { rows } = await database.pool.query<Record<string, string>>(
    `SELECT count(*) AS events, count(DISTINCT visitor_id) AS visitors, sum(revenue_micros) AS revenue
     FROM events WHERE merchant_id = $1 AND ts >= '2025-03-01' AND ts < '2025-04-01' AND is_bot IS FALSE`,
    [A],
  );
  const answer = await report(A, {
    range: dates("2025-03-01", "2025-03-31"),
    metrics: ["events", "visitors", "revenue"],
  });
  for (const { metric, total } of answer.series) expect(String(total)).toBe(rows[0]![metric]);
});

test("only the metrics asked for, in the order asked for; unconverted orders in any case", async () => {
  const answer = await report(A, { range: dates("2025-03-30"), metrics: ["sessions", "events"] });
  expect(answer.series.map((series) => series.metric)).toEqual(["sessions", "events"]);
  expect(answer.unconvertedOrders).toBeGreaterThan(0n);
});

test("an empty report has its buckets, all 0", async () => {
  const none = await report(A, { range: dates("2020-02-28", "2020-03-01") });
  expectCounts(none, A, every(24 * HOUR, "2020-02-28", 3));
  expect(none.series.every(({ total }) => total === 0n)).toBe(true);
  expect((await report(999, { range: dates("2025-03-30") })).series[0]!.total).toBe(0n);
});

test("data_through is the partition's, rounded down to milliseconds", async () => {
  const through = async (merchantId: number) =>
    (await report(merchantId, { range: dates("2025-03-30") })).dataThrough;
  expect(await through(A)).toBeUndefined();
  await database.pool.query(
    "UPDATE partitions SET committed_through = '2025-03-30T10:00:00.1239Z' WHERE partition_id = $1",
    [partitionOf(A, PARTITIONS)],
  );
  expect(await through(A)).toBe(Date.parse("2025-03-30T10:00:00.123Z"));
  expect(await through(B)).toBeUndefined();
});

test("10,000 buckets are answered, revenue above 2^53 is exact", async () => {
  const ts = Date.parse("2023-01-04T12:00Z");
  const big: Row = {
    merchantId: 77,
    ts,
    visitor: 1,
    session: 1,
    name: "x",
    orderId: "o",
    revenue: 2n ** 62n - 1n,
  };
  await insertRows(database.pool, [big, { ...big, ts: ts + 60_000, orderId: "p", revenue: 2n ** 61n }]);
  const range = times("2023-01-01T00:00:00Z", "2023-01-07T22:40:00Z");
  const answer = await report(77, { range, granularity: "minute", metrics: ["revenue"] });
  expect(answer.series[0]!.values).toHaveLength(10_000);
  expect(answer.series[0]!.total).toBe(2n ** 62n - 1n + 2n ** 61n);
  expect(answer.series[0]!.values[(ts - Date.parse("2023-01-01")) / 60_000]).toBe(2n ** 62n - 1n);
});

test("what cannot be answered is refused by its field", async () => {
  const range = dates("2025-03-30");
  await expect(report(A, { range, timeZone: "Mars/Olympus" })).rejects.toMatchObject({
    kind: "invalid",
    field: "time_zone",
  });
  await expect(report(A, { range, metrics: ["events", "events"] })).rejects.toMatchObject({
    field: "metrics",
    value: "events",
  });
  await expect(report(A, { range: dates("2025-03-30", "2025-03-29") })).rejects.toMatchObject({
    field: "dates.start",
  });
  await expect(report(A, { range: dates("1925-01-01", "2024-12-31") })).rejects.toMatchObject({
    field: "granularity",
  });
});
