import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { partitionOf } from "../../event/partition.ts";
import type { Factor } from "../../store/breakdown/sample.ts";
import { convertOld } from "../../store/maintenance/columnstore.ts";
import { expire } from "../../store/maintenance/retention.ts";
import { verifyAggregates } from "../../store/maintenance/verify.ts";
import { refreshAll, refreshGrain } from "../../store/refresh.ts";
import { DAY_MS } from "../../store/rollups.ts";
import { getBreakdown } from "../get-breakdown.ts";
import { type Row, rowsWithin, storeRows } from "../testing/breakdown-rows.ts";
import { A, PARTITIONS } from "../testing/fixture.ts";
import { insertMerchants } from "../testing/merchants.ts";
import { COUNT_OF, type Metric, recountBreakdown, VALUE_OF } from "../testing/recount-breakdown.ts";

const PARTITION = partitionOf(A, PARTITIONS);
/** Of A's partition, each with rollups from another time on: A from the middle of the span, one from before it, one never. */
const [EARLY, NEVER] = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16].filter(
  (id) => partitionOf(id, PARTITIONS) === PARTITION,
) as [number, number];
const MERCHANTS = [A, EARLY, NEVER];

const START = Date.UTC(2025, 2, 3);
const DAYS = 66;
const END = START + DAYS * DAY_MS;
const STARTS = new Map([
  [A, START + 10 * DAY_MS],
  [EARLY, START - 365 * DAY_MS],
]);

let database: TestDatabase;
const stored: Row[] = [];
const store = async (from: number, to: number, count: number, seed: number) => {
  const [rows] = fc.sample(rowsWithin(MERCHANTS, from, to, count), { numRuns: 1, seed });
  await storeRows(database.pool, rows!, { starts: STARTS, partition: PARTITION });
  stored.push(...rows!);
};

beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  await insertMerchants(database.pool, MERCHANTS, STARTS);
  await store(START, END, 1_500, 1);
});
afterAll(() => database?.close());

const METRICS = Object.keys(COUNT_OF) as Metric[];
const minutes = fc.integer({ min: -3 * 24 * 60, max: (DAYS + 3) * 24 * 60 });
const days = fc.integer({ min: -2, max: DAYS + 2 });
const dayText = (day: number) => new Date(START + day * DAY_MS).toISOString().slice(0, 10);

/** Spans of local days, and of minutes. */
const span = fc.oneof(
  fc.tuple(days, days).map(([a, b]) => ({
    kind: "dates" as const,
    start: dayText(Math.min(a, b)),
    end: dayText(Math.max(a, b)),
  })),
  fc.tuple(minutes, minutes).map(([a, b]) => ({
    kind: "times" as const,
    startNs: BigInt(START + Math.min(a, b) * 60_000) * 1_000_000n,
    endNs: BigInt(START + (Math.max(a, b) + 1) * 60_000) * 1_000_000n,
  })),
);

const question = fc.record({
  merchantId: fc.constantFrom(...MERCHANTS),
  range: span,
  zone: fc.constantFrom(
    { name: "UTC", hours: 0 },
    // Both without changes of the clock in the span.
    { name: "Asia/Kathmandu", hours: 5.75 },
    { name: "Pacific/Honolulu", hours: -10 },
  ),
  dimension: fc.constantFrom(...(Object.keys(VALUE_OF) as (keyof typeof VALUE_OF)[])),
  metrics: fc.shuffledSubarray(METRICS, { minLength: 1 }),
  limit: fc.integer({ min: 1, max: 6 }),
  includeBots: fc.boolean(),
  /** Of the sample that is used of many events; undefined: there are few. */
  factor: fc.constantFrom<Factor | undefined>(undefined, 8, 8, 32, 128, 512),
  exact: fc.constantFrom(undefined, undefined, undefined, true),
});
type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never;

const deps = () => ({ pool: database.pool, partitions: PARTITIONS, statementTimeoutMs: 30_000 });

/** The span, ms. */
function bounds({ range, zone }: Pick<Question, "range" | "zone">): [from: number, to: number] {
  const shift = zone.hours * 3_600_000;
  return range.kind === "dates"
    ? [Date.parse(range.start) - shift, Date.parse(range.end) + DAY_MS - shift]
    : [Number(range.startNs / 1_000_000n), Number(range.endNs / 1_000_000n)];
}

/** @param margin looked at before and behind the span, ms. */
function within({ merchantId, includeBots, ...asked }: Question, margin = 0): Row[] {
  const [from, to] = bounds(asked);
  return stored.filter(
    (row) =>
      row.merchantId === merchantId &&
      row.ts >= from - margin &&
      row.ts < to + margin &&
      (includeBots || !row.isBot),
  );
}

/** Whether visitors and sessions are estimated then: not by sources, which belong to visits. */
function isEstimated({ merchantId, dimension, exact, ...asked }: Question): boolean {
  const start = STARTS.get(merchantId);
  return !exact && dimension !== "source" && start !== undefined && start < bounds(asked)[1];
}

/** Asks random questions, and compares the answers with a recount of the stored rows. */
async function compare(numRuns: number): Promise<void> {
  const property = fc.asyncProperty(question, async (asked) => {
    const { merchantId, zone, factor, ...request } = asked;
    const rollupsReadyFrom = STARTS.get(merchantId);
    const merchant = { merchantId, timeZone: zone.name, currency: "EUR", rollupsReadyFrom };
    const answer = await getBreakdown({ ...deps(), sampleFor: () => factor }, merchant, request);
    const { values, valuesFound, series } = answer;
    expect({ values, valuesFound, series: series.map(({ unit: _, ...rest }) => rest) }).toEqual(
      recountBreakdown(within(asked), within(asked, DAY_MS), asked, isEstimated(asked) ? factor : undefined),
    );
  });
  await fc.assert(property, { numRuns });
}

const weeks = () => refreshGrain(database.pool, "7d").then(() => refreshGrain(database.pool, "28d"));
const late = (seed: number) => store(START + 20 * DAY_MS, START + 22 * DAY_MS, 40, seed);

test.each<[string, () => Promise<unknown>]>([
  ["nothing is refreshed", async () => {}],
  ["the quarter hours are", () => refreshGrain(database.pool, "15m")],
  ["the days are", () => refreshGrain(database.pool, "1d")],
  ["the weeks are", weeks],
  ["the chunks are in the columnstore", () => convertOld(database.pool, END + 365 * DAY_MS)],
  ["late events came", () => late(2)],
  ["their quarter hours are refreshed", () => refreshGrain(database.pool, "15m")],
  ["late events came again", () => late(3)],
  ["the days are refreshed, but for the latest events", () => refreshGrain(database.pool, "1d")],
  ["a week is as well", weeks],
  ["all is refreshed", () => refreshAll(database.pool)],
  [
    "a merchant keeps less, and much of it is gone",
    async () => {
      await database.pool.query("UPDATE merchants SET retention_days = 20 WHERE merchant_id = $1", [A]);
      await expire(database.pool, END);
      const kept = stored.filter(({ merchantId, ts }) => merchantId !== A || ts >= END - 20 * DAY_MS);
      expect(stored.splice(0, stored.length, ...kept).length).toBeGreaterThan(kept.length);
      // Retention may name another partition as stale.
      await database.pool.query(
        `INSERT INTO invalidations (grain, start, partition_id)
         SELECT DISTINCT '15m', start, $1::integer FROM invalidations WHERE grain = '15m' ON CONFLICT DO NOTHING`,
        [PARTITION],
      );
    },
  ],
  ["that is refreshed", () => refreshAll(database.pool)],
])("breakdowns are what a recount of the rows says: %s", async (_, change) => {
  await change();
  await compare(40);
  expect(
    await verifyAggregates(database.pool, { from: START - 400 * DAY_MS, to: END + 30 * DAY_MS }),
  ).toEqual([]);
});

test("whole days are read from rollups, visitors from visits or the sample; those of a merchant without them from rows", async () => {
  const ask = async (
    merchantId: number,
    dimension: "page" | "source",
    metrics: Metric[],
    factor?: Factor,
  ) => {
    const range = { kind: "dates", start: dayText(48), end: dayText(DAYS - 1) } as const;
    const answer = await getBreakdown(
      { ...deps(), sampleFor: () => factor },
      { merchantId, timeZone: "UTC", currency: "EUR", rollupsReadyFrom: STARTS.get(merchantId) },
      { range, dimension, metrics },
    );
    return answer.series.map(({ total }) => total);
  };
  const sums = await ask(A, "page", ["events"]);
  const visits = await ask(A, "source", ["visitors", "sessions", "revenue"]);
  const sampled = await ask(A, "page", ["visitors"], 8);
  expect(sums[0]).toBeGreaterThan(0n);
  expect(sampled[0]).toBeGreaterThan(0n);
  expect(visits[0]).toBeGreaterThan(0n);
  // Behind the back of all that keeps them in step.
  await database.pool.query("DELETE FROM events");
  expect(await ask(A, "page", ["events"])).toEqual(sums);
  expect(await ask(A, "source", ["visitors", "sessions", "revenue"])).toEqual(visits);
  expect(await ask(A, "page", ["visitors"])).toEqual([0n]);
  expect(await ask(A, "page", ["visitors"], 8)).toEqual(sampled);
  expect(await ask(NEVER, "source", ["events", "visitors"])).toEqual([0n, 0n]);
});
