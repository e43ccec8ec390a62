import { type Client, Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { LineProxy } from "../../test/kit/line-proxy.ts";
import { freePort } from "../embedded/free-port.ts";
import { partitionOf } from "../event/partition.ts";
import { Failure } from "../failure/failure.ts";
import { Dimension, Granularity, Metric, QueryService, Unit } from "../gen/footfall/report/v1/report_pb.js";
import type { KeyMerchant } from "../query/rpc/gate.ts";
import { queryMetrics } from "../query/rpc/metrics.ts";
import { Turns } from "../query/run/turns.ts";
import { toConnectError } from "../rpc/errors.ts";
import { createPool } from "../store/pool.ts";
import { createRegistry } from "../telemetry/metrics.ts";
import { queryHandlers } from "./handler.ts";
import { A, B, insertRows, PARTITIONS, randomRows, refreshTotals } from "./testing/fixture.ts";
import { recount } from "./testing/recount.ts";

const ROWS = randomRows(9, "2025-03-28T00:00Z", "2025-04-02T00:00Z", 400);
const KEYS: Record<string, KeyMerchant> = {
  "key-a": { merchantId: A, timeZone: "Asia/Kathmandu", currency: "NPR" },
  // Large, from after all of its rows on.
  "key-large": { merchantId: A, timeZone: "UTC", currency: "NPR", rollupsReadyFrom: Date.UTC(2025, 3, 3) },
  "key-b": { merchantId: B, timeZone: "UTC", currency: "EUR" },
};
const keyOfA = { headers: { authorization: "key-a" } };

let database: TestDatabase;
let client: Client<typeof QueryService>;
beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  await insertRows(database.pool, ROWS);
  await refreshTotals(database.pool);
  client = clientOf(database.pool);
});
afterAll(() => database?.close());

function clientOf(pool: TestDatabase["pool"], databaseWaitMs = 0): Client<typeof QueryService> {
  const authenticate = async (headers: Headers) => {
    const merchant = KEYS[headers.get("authorization") ?? ""];
    if (merchant === undefined) throw new Failure("unauthenticated", "unknown key");
    return merchant;
  };
  const handlers = queryHandlers({
    pool,
    partitions: PARTITIONS,
    statementTimeoutMs: 30_000,
    databaseWaitMs,
    sampleFor: () => 8,
    authenticate,
    turns: new Turns({ slots: 4, waiting: 100 }),
    maxTimeoutMs: 60_000,
    metrics: queryMetrics(createRegistry("query")),
  });
  const transport = createRouterTransport((router) => router.service(QueryService, handlers), {
    router: {
      interceptors: [
        (next) => (request) =>
          next(request).catch((error: unknown) => {
            throw toConnectError(error);
          }),
      ],
    },
  });
  return createClient(QueryService, transport);
}

test("an estimated series has its standard error, and a request can ask for exact numbers", async () => {
  const range = { case: "dates", value: { start: "2025-03-01", end: "2025-05-31" } } as const;
  const asked = { range, granularity: Granularity.MONTH, metrics: [Metric.EVENTS, Metric.VISITORS] };
  const keyOfLarge = { headers: { authorization: "key-large" } };
  const errors = async (request: { exact?: boolean }) =>
    (await client.getReport({ ...asked, ...request }, keyOfLarge)).series.map((s) => s.standardError);
  const [events, visitors] = await errors({});
  expect(events).toBe(0);
  expect(visitors).toBeCloseTo(0.0081, 4);
  expect(await errors({ exact: true })).toEqual([0, 0]);
});

test("an estimated breakdown has the standard error of each value, unless exact numbers are asked for", async () => {
  const range = { case: "dates", value: { start: "2025-03-01", end: "2025-05-31" } } as const;
  const metrics = [Metric.EVENTS, Metric.VISITORS];
  const asked = { range, dimension: Dimension.EVENT_NAME, metrics };
  const keyOfLarge = { headers: { authorization: "key-large" } };
  const [events, visitors] = (await client.getBreakdown(asked, keyOfLarge)).series;
  expect(events).toMatchObject({ standardError: 0, standardErrors: [] });
  expect(visitors!.standardError).toBeGreaterThan(0);
  expect(visitors!.standardErrors.length).toBe(visitors!.values.length);
  expect(visitors!.total % 8n).toBe(0n);
  const exact = await client.getBreakdown({ ...asked, exact: true }, keyOfLarge);
  const own = ROWS.filter(({ merchantId, isBot }) => merchantId === A && isBot !== true);
  expect(exact.series[1]).toMatchObject({
    standardError: 0,
    standardErrors: [],
    total: BigInt(new Set(own.map(({ visitor }) => visitor)).size),
  });
});

const days = (start: string, end = start) => ({ case: "dates", value: { start, end } }) as const;

async function refusal(run: Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await run.catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

test("defaults: the key's merchant, its time zone, days, all metrics", async () => {
  const answer = await client.getReport({ range: days("2025-03-29", "2025-03-30") }, keyOfA);
  expect(answer).toMatchObject({
    merchantId: A,
    timeZone: "Asia/Kathmandu",
    currency: "NPR",
    granularity: Granularity.DAY,
  });
  expect(answer.series.map(({ metric, unit }) => [metric, unit])).toEqual([
    [Metric.EVENTS, Unit.COUNT],
    [Metric.PAGE_VIEWS, Unit.COUNT],
    [Metric.VISITORS, Unit.COUNT],
    [Metric.SESSIONS, Unit.COUNT],
    [Metric.REVENUE, Unit.CURRENCY_MICROS],
    [Metric.ORDERS, Unit.COUNT],
  ]);
  const seconds = answer.buckets.map(({ start, end }) => [start?.seconds, end?.seconds]);
  const first = BigInt(Date.parse("2025-03-28T18:15Z") / 1_000);
  expect(seconds).toEqual([
    [first, first + 86_400n],
    [first + 86_400n, first + 172_800n],
  ]);
  expect(answer.dataThrough).toBeUndefined();
});

test("a time range, hours, chosen metrics, values as counted in the fixture", async () => {
  const [start, end] = [Date.parse("2025-03-29T10:00Z"), Date.parse("2025-03-30T10:00Z")];
  await database.pool.query(
    "UPDATE partitions SET committed_through = '2025-04-02T00:00:00.5Z' WHERE partition_id = $1",
    [partitionOf(A, PARTITIONS)],
  );
  const answer = await client.getReport(
    {
      merchantId: A,
      range: {
        case: "times",
        value: { start: { seconds: BigInt(start / 1_000) }, end: { seconds: BigInt(end / 1_000) } },
      },
      granularity: Granularity.HOUR,
      timeZone: "UTC",
      metrics: [Metric.VISITORS, Metric.REVENUE],
    },
    keyOfA,
  );
  const own = ROWS.filter((row) => row.merchantId === A && row.ts >= start && row.ts < end);
  const expected = recount(own);
  expect(answer.series.map(({ metric, total }) => [metric, total])).toEqual([
    [Metric.VISITORS, expected.visitors],
    [Metric.REVENUE, expected.revenue],
  ]);
  expect(answer.series.map(({ values }) => values.length)).toEqual([24, 24]);
  expect(answer.unconvertedOrders).toBe(expected.unconverted_orders);
  expect(answer.dataThrough).toMatchObject({
    seconds: BigInt(Date.parse("2025-04-02") / 1_000),
    nanos: 500_000_000,
  });
});

test("another merchant's id is refused, whatever else the request says", async () => {
  for (const range of [days("2025-03-29"), days("nonsense")]) {
    const error = await refusal(client.getReport({ merchantId: B, range }, keyOfA));
    expect(error.code).toBe(Code.PermissionDenied);
  }
  const breakdown = { merchantId: B, range: days("2025-03-29"), dimension: Dimension.PAGE };
  expect((await refusal(client.getBreakdown(breakdown, keyOfA))).code).toBe(Code.PermissionDenied);
  expect(
    (await refusal(client.getReport({ merchantId: 4_294_967_295, range: days("2025-03-29") }, keyOfA))).code,
  ).toBe(Code.PermissionDenied);
});

test("without a known key there is no answer", async () => {
  const error = await refusal(client.getReport({ merchantId: B, range: days("2025-03-29") }));
  expect(error.code).toBe(Code.Unauthenticated);
});

test.each([
  [{}, "range is required"],
  [{ range: days("2025-02-30") }, 'dates.start "2025-02-30" is not a date'],
  [{ range: { case: "times", value: { end: { seconds: 60n } } } as const }, "times.start is required"],
  [
    { range: { case: "times", value: { start: { seconds: 0n, nanos: 1 }, end: { seconds: 60n } } } as const },
    "times.start",
  ],
  [
    { range: { case: "times", value: { start: { seconds: -(2n ** 63n) }, end: { seconds: 60n } } } as const },
    "times.start",
  ],
  [{ range: days("2025-03-29"), timeZone: "Nowhere" }, 'time_zone "Nowhere"'],
  [
    { range: days("2025-03-29"), granularity: 99 as Granularity },
    'granularity "99" is not one of the known values',
  ],
  [
    { range: days("2025-03-29"), metrics: [Metric.UNSPECIFIED] },
    'metrics "0" is not one of the known values',
  ],
  [
    { range: days("2025-03-29"), metrics: [Metric.EVENTS, Metric.EVENTS] },
    'metrics "events" is asked for twice',
  ],
])("INVALID_ARGUMENT names the field and the value: %#", async (request, message) => {
  const error = await refusal(client.getReport(request, keyOfA));
  expect(error.code).toBe(Code.InvalidArgument);
  expect(error.rawMessage).toContain(message);
});

test.each([
  [{ dimension: Dimension.PAGE }, "range is required"],
  [{ range: days("2025-03-29") }, 'dimension "0" is not one of the known values'],
  [{ range: days("2025-03-29"), dimension: Dimension.PAGE, limit: 5_000 }, 'limit "5000"'],
])("INVALID_ARGUMENT of a breakdown names the field and the value: %#", async (request, message) => {
  const error = await refusal(client.getBreakdown(request, keyOfA));
  expect(error.code).toBe(Code.InvalidArgument);
  expect(error.rawMessage).toContain(message);
});

test("a breakdown by event name, as counted in the fixture", async () => {
  const answer = await client.getBreakdown(
    {
      range: days("2025-03-27", "2025-04-03"),
      timeZone: "UTC",
      dimension: Dimension.EVENT_NAME,
      metrics: [Metric.EVENTS],
    },
    keyOfA,
  );
  const own = ROWS.filter(({ merchantId, isBot }) => merchantId === A && isBot !== true);
  const count = (name: string) => BigInt(own.filter((row) => row.name === name).length);
  expect(Object.fromEntries(answer.values.map((value, i) => [value, answer.series[0]!.values[i]]))).toEqual({
    page_view: count("page_view"),
    click: count("click"),
  });
  expect(answer).toMatchObject({
    merchantId: A,
    currency: "NPR",
    dimension: Dimension.EVENT_NAME,
    valuesFound: 2n,
  });
});

test("a sum that does not fit into 64 bits is cut and said; what fits, and what is asked beside it, is exact", async () => {
  const sold = (day: number, revenue: bigint) => ({
    ...{ merchantId: B, ts: Date.UTC(2025, 6, day), visitor: 1, session: 1, name: "purchase" },
    ...{ orderId: `${day} ${revenue}`, revenue },
  });
  const large = 9_000_000_000_000_000_001n;
  await insertRows(database.pool, [sold(1, large), sold(2, large), sold(2, 5n * 10n ** 18n)]);
  const ask = (start: string, end: string) => {
    const range = { case: "dates", value: { start, end } } as const;
    const asked = { range, metrics: [Metric.REVENUE, Metric.ORDERS] };
    const options = { headers: { authorization: "key-b" } };
    return [
      () => client.getReport(asked, options),
      () => client.getBreakdown({ ...asked, dimension: Dimension.EVENT_NAME }, options),
    ] as const;
  };
  const most = 2n ** 63n - 1n;
  const compare = async () => {
    for (const call of ask("2025-07-01", "2025-07-01")) {
      expect((await call()).series[0]).toMatchObject({ values: [large], total: large, outOfRange: false });
    }
    const [report, breakdown] = ask("2025-07-01", "2025-07-02");
    expect((await report()).series).toMatchObject([
      { values: [large, most], total: most, outOfRange: true },
      { values: [1n, 2n], total: 3n, outOfRange: false },
    ]);
    expect((await breakdown()).series).toMatchObject([
      { values: [most], total: most, outOfRange: true },
      { values: [3n], total: 3n, outOfRange: false },
    ]);
  };
  // From the aggregate, which holds the sums all the same, and from the rows.
  await refreshTotals(database.pool);
  await compare();
  await database.pool.query("DELETE FROM events WHERE merchant_id = $1 AND ts >= '2025-07-01Z'", [B]);
  await refreshTotals(database.pool);
});

test("a database that is away is UNAVAILABLE", async () => {
  const url = "postgres://footfall@127.0.0.1:1/footfall";
  const pool = createPool({ url, name: "test", maxConnections: 1, statementTimeoutMs: 0 });
  const error = await refusal(clientOf(pool).getReport({ range: days("2025-03-29") }, keyOfA));
  expect([error.code, error.rawMessage]).toEqual([Code.Unavailable, "the database is away"]);
  expect(error.metadata.get("grpc-retry-pushback-ms")).toBe("1000");
  await pool.end();
});

test("a report waits for a database that comes back in time", async () => {
  const port = await freePort();
  const url = new URL(database.url);
  const real = Number(url.port);
  url.port = String(port);
  const pool = createPool({ url: url.href, name: "test", maxConnections: 1, statementTimeoutMs: 0 });
  const request = { range: days("2025-03-29"), metrics: [Metric.EVENTS] };
  const waiting = clientOf(pool, 30_000).getReport(request, keyOfA);
  await expect(clientOf(pool).getReport(request, keyOfA)).rejects.toThrow("the database is away");
  const proxy = await LineProxy.start(real, port);
  const answer = await waiting;
  expect(answer.series[0]!.total).toBe((await client.getReport(request, keyOfA)).series[0]!.total);
  await pool.end();
  await proxy.close();
});

test("every metric, granularity and dimension of the wire is known", async () => {
  const numbers = (values: object) =>
    Object.values(values).filter((value) => typeof value === "number" && value !== 0);
  const ofItems = [Metric.ITEM_QUANTITY, Metric.ITEM_REVENUE];
  const metrics = (numbers(Metric) as Metric[]).filter((metric) => !ofItems.includes(metric));
  const answer = await client.getReport({ range: days("2025-03-29"), metrics }, keyOfA);
  expect(answer.series.map(({ metric }) => metric)).toEqual(metrics);
  const items = { range: days("2025-03-29"), dimension: Dimension.ITEM_ID, metrics: ofItems };
  expect((await client.getBreakdown(items, keyOfA)).series.map(({ metric }) => metric)).toEqual(ofItems);
  for (const granularity of numbers(Granularity) as Granularity[]) {
    expect((await client.getReport({ range: days("2025-03-29"), granularity }, keyOfA)).granularity).toBe(
      granularity,
    );
  }
  for (const dimension of numbers(Dimension) as Dimension[]) {
    expect((await client.getBreakdown({ range: days("2025-03-29"), dimension }, keyOfA)).dimension).toBe(
      dimension,
    );
  }
});
