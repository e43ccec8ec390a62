import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { addMerchantWithRollups, openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { partitionOf } from "../event/partition.ts";
import { convertOld } from "../store/maintenance/columnstore.ts";
import { verifyAggregates } from "../store/maintenance/verify.ts";
import { refreshGrain } from "../store/refresh.ts";
import { getReport, type Report, type ReportRequest } from "./get-report.ts";
import { A, B, PARTITIONS } from "./testing/fixture.ts";
import { insertPresences, type Presence } from "./testing/presence.ts";

const DAY = 86_400_000;
/** C lives in A's partition, or B's, and is small. */
const C = 7;
/** Large, with visitors whose sessions no SDK names. */
const D = 8;
const FIRST = Date.UTC(2024, 10, 1);
const DAYS = 150;
/** A is large from the middle of a month on, B from before all events on. */
const READY = new Map([
  [A, Date.UTC(2024, 11, 12)],
  [B, FIRST],
  [D, FIRST],
]);

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  await addMerchantWithRollups(database.pool);
});
afterAll(() => database?.close());

/** 64-bit hashes as the aggregator makes them, of so few visitors that they come again. */
const ids = fc.sample(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { numRuns: 400, seed: 5 });

const presence: fc.Arbitrary<Presence> = fc.record({
  merchantId: fc.constantFrom(A, B, C),
  ts: fc.integer({ min: 0, max: DAYS * 1_440 - 1 }).map((minute) => FIRST + minute * 60_000),
  visitor: fc.constantFrom(...ids.slice(0, 200)),
  session: fc.constantFrom(...ids.slice(200)),
  isBot: fc.boolean(),
});

const question = fc
  .record({
    merchantId: fc.constantFrom(A, A, B, C),
    first: fc.integer({ min: -20, max: DAYS }),
    length: fc.integer({ min: 1, max: DAYS }),
    timeZone: fc.constantFrom(
      "UTC",
      "Europe/Berlin",
      "Asia/Kathmandu",
      "America/St_Johns",
      "Australia/Lord_Howe",
      "Pacific/Apia",
    ),
    granularity: fc.constantFrom("month" as const, "month" as const, "week" as const, "day" as const),
    includeBots: fc.boolean(),
  })
  .map(({ first, length, ...rest }) => {
    const date = (day: number) => new Date(FIRST + day * DAY).toISOString().slice(0, 10);
    return { ...rest, range: { kind: "dates", start: date(first), end: date(first + length - 1) } as const };
  });
type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never;

const refresh = {
  none: async () => {},
  quarters: async () => void (await refreshGrain(database.pool, "15m")),
  days: async () => {
    await refreshGrain(database.pool, "15m");
    await refreshGrain(database.pool, "1d");
  },
  columnstore: async () => {
    await refresh.days();
    await convertOld(database.pool, Date.now());
  },
};

function ask(merchantId: number, request: ReportRequest): Promise<Report> {
  const merchant = { merchantId, timeZone: "UTC", currency: "EUR", rollupsReadyFrom: READY.get(merchantId) };
  const deps = { pool: database.pool, partitions: PARTITIONS, statementTimeoutMs: 30_000 };
  return getReport(deps, merchant, { ...request, metrics: ["visitors", "sessions"] });
}

/** The ids that plain SQL finds in each bucket, and over all of them (undefined). */
async function found({ merchantId, includeBots }: Question, edges: readonly number[]) {
  const { rows } = await database.pool.query<{
    bucket: number | null;
    visitors: string[];
    sessions: string[];
  }>(
    `SELECT width_bucket(ts, $2::timestamptz[]) AS bucket, array_agg(DISTINCT visitor_id) AS visitors,
       array_agg(DISTINCT session_id) AS sessions
     FROM events WHERE merchant_id = $1 AND ts >= $3 AND ts < $4 AND (NOT is_bot OR $5)
     GROUP BY GROUPING SETS ((bucket), ())`,
    [merchantId, edges.map((e) => new Date(e)), new Date(edges[0]!), new Date(edges.at(-1)!), includeBots],
  );
  return (metric: "visitors" | "sessions", bucket: number | null) =>
    (rows.find((row) => row.bucket === bucket)?.[metric] ?? []).map(BigInt);
}

async function check(asked: Question): Promise<void> {
  const report = await ask(asked.merchantId, asked);
  const idsOf = await found(asked, report.edges);
  for (const { metric, values, total, standardError } of report.series) {
    const count = (bucket: number | null) => BigInt(idsOf(metric as "visitors", bucket).length);
    expect({ metric, values, total, standardError }).toEqual({
      metric,
      values: values.map((_, index) => count(index + 1)),
      total: count(null),
      standardError: 0,
    });
  }
}

test("counts are plain SQL's, whatever is late, stale or fresh", async () => {
  const round = fc.record({
    rows: fc.array(presence, { minLength: 1, maxLength: 60 }),
    refreshed: fc.constantFrom(...(Object.keys(refresh) as (keyof typeof refresh)[])),
    // Written after the refresh: late rows.
    late: fc.array(presence, { maxLength: 4 }),
    questions: fc.array(question, { minLength: 3, maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(round, async ({ rows, refreshed, late, questions }) => {
      await insertPresences(database.pool, rows, READY);
      await refresh[refreshed]();
      if (late.length > 0) await insertPresences(database.pool, late, READY);
      for (const asked of questions) await check(asked);
    }),
    { numRuns: 25, endOnFailure: true },
  );
  const all = { from: FIRST - 30 * DAY, to: FIRST + (DAYS + 30) * DAY };
  expect(await verifyAggregates(database.pool, all)).toEqual([]);
  await refresh.days();
  expect(await verifyAggregates(database.pool, all)).toEqual([]);
}, 120_000);

test("a late event that makes two sessions one changes counts at once", async () => {
  const visit = (time: string) =>
    eventRow({ merchant_id: D, visitor_id: ids[0]!, session_id: 0n, ts: Date.parse(time), in_rollups: true });
  const commit = (time: string) =>
    commitNext(database.pool, [batchOf([visit(time)])], { partition: partitionOf(D, PARTITIONS) });
  const asked = {
    merchantId: D,
    range: { kind: "dates", start: "2025-01-01", end: "2025-02-28" },
    granularity: "month",
    timeZone: "UTC",
    includeBots: false,
  } as const;
  const sessions = async () => (await ask(D, asked)).series[1]!.total;
  await commit("2025-01-15T10:00Z");
  await commit("2025-01-15T10:50Z");
  await refresh.columnstore();
  await check(asked);
  expect(await sessions()).toBe(2n);
  await commit("2025-01-15T10:25Z");
  await check(asked);
  expect(await sessions()).toBe(1n);
  await refresh.days();
  await check(asked);
});
