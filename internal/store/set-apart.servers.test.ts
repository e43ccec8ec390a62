import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { refreshGrain } from "./refresh.ts";
import { type FailedSpan, SetApart } from "./set-apart.ts";

const QUARTER = 15 * 60_000;
const DAY = 86_400_000;
/** A Monday, long over. */
const T = Date.UTC(2026, 2, 2);
const WEEK = Date.UTC(2026, 2, 26);

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(2);
});
afterAll(() => database?.close());

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

let told: FailedSpan[];
let now: number;
let apart: SetApart;
beforeEach(() => {
  told = [];
  now = 0;
  apart = new SetApart(
    (span) => told.push(span),
    () => now,
  );
});

/** One event of a merchant at each time, in the merchant's partition. */
const commit = (merchant_id: number, times: readonly number[], fields = {}) =>
  commitNext(database.pool, [batchOf(times.map((ts) => eventRow({ merchant_id, ts, ...fields })))], {
    partition: merchant_id - 1,
  });

/** Where an aggregate's cells are kept. */
async function cellsOf(aggregate: string): Promise<string> {
  const [found] = await query<{ cells: string }>(
    `SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS cells
     FROM timescaledb_information.continuous_aggregates WHERE view_name = $1`,
    [aggregate],
  );
  return found!.cells;
}

const stale = async () =>
  (
    await query<{ ms: number }>(
      "SELECT DISTINCT extract(epoch FROM start)::float8 * 1000 AS ms FROM invalidations WHERE grain = '15m'",
    )
  ).map(({ ms }) => ms);

test("a quarter hour that cannot be refreshed waits for longer each time, and all others go on", async () => {
  // A cell that cannot be written: its index divides by zero.
  await query(
    "CREATE INDEX hostile ON totals_15m ((1 / (CASE WHEN merchant_id = 2 AND events = 3 THEN 0 ELSE 1 END)))",
  );
  const bad = T + 2 * QUARTER;
  await commit(1, [T, T + QUARTER, bad, T + 3 * QUARTER, T + 9 * QUARTER]);
  await commit(2, [bad, bad + 1, bad + 2, T + 3 * QUARTER]);
  await refreshGrain(database.pool, "15m", { apart });
  expect([await stale(), apart.size]).toEqual([[bad], 1]);
  expect(await query("SELECT sum(events)::integer AS n FROM totals_15m")).toEqual([{ n: 5 }]);
  expect(told).toMatchObject([{ from: new Date(bad).toISOString(), failures: 1, pauseMs: 5_000 }]);
  // Not before its pause is over, each twice as long; what is written meanwhile goes on.
  await commit(1, [T + 20 * QUARTER]);
  await refreshGrain(database.pool, "15m", { apart });
  expect([await stale(), told.length]).toEqual([[bad], 1]);
  for (const [at, pauseMs] of [
    [5_000, 10_000],
    [15_000, 20_000],
  ] as const) {
    now = at;
    await refreshGrain(database.pool, "15m", { apart });
    expect(told.at(-1)).toMatchObject({ pauseMs });
  }
  for (let failures = 0; failures < 20; failures++) {
    now += 3_600_000;
    await refreshGrain(database.pool, "15m", { apart });
  }
  expect(told.at(-1)).toMatchObject({ pauseMs: 3_600_000, failures: 23 });
  await query("DROP INDEX _timescaledb_internal.hostile");
  now += 3_600_000;
  await refreshGrain(database.pool, "15m", { apart });
  expect([await stale(), apart.size]).toEqual([[], 0]);
});

test("a week that cannot be refreshed tells whose rows it is, and other weeks go on", async () => {
  await query("TRUNCATE events, invalidations");
  await query(
    `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days, rollups_from) OVERRIDING SYSTEM VALUE
     SELECT id, 'shop', 'UTC', 'EUR', 400, '2026-01-01Z' FROM generate_series(1, 2) id`,
  );
  const page = { in_rollups: true, url: "https://shop.example/a", page: "/a" };
  for (const merchant of [1, 2]) await commit(merchant, [WEEK, WEEK + DAY, WEEK + 7 * DAY], page);
  await refreshGrain(database.pool, "15m", { apart });
  await refreshGrain(database.pool, "1d", { apart });
  // What no count can be: the sum of two of them is above 64 bits.
  await query(
    `UPDATE ${await cellsOf("pages_1d")} SET events = 9223372036854775807 WHERE merchant_id = 2 AND bucket < $1`,
    [new Date(WEEK + 2 * DAY)],
  );
  const weeks = async () =>
    (await query("SELECT DISTINCT start FROM invalidations WHERE grain = '7d'")).length;
  expect(await weeks()).toBe(2);
  await refreshGrain(database.pool, "7d", { apart });
  expect(await weeks()).toBe(1);
  expect(told).toMatchObject([{ aggregates: ["pages_7d"], merchantId: 2, error: { code: "22003" } }]);
  await expect(refreshGrain(database.pool, "7d")).rejects.toThrow("out of range");
  await query("DELETE FROM invalidations");
  await refreshGrain(database.pool, "7d", { apart });
  expect(apart.size).toBe(0);
});
