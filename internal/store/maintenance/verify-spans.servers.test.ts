import { afterAll, beforeAll, expect, test } from "vitest";
import { eventRow } from "../../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../../test/kit/commits.ts";
import { addMerchantWithRollups, openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { DAY_MS } from "../day.ts";
import { refreshGrain } from "../refresh.ts";
import { repairAggregates } from "./repair.ts";
import { verifyAggregates } from "./verify.ts";

/** A Monday; four weeks begin a week before it, by TimescaleDB's count. */
const MONDAY = Date.UTC(2025, 1, 3);
const ALL = { from: Date.UTC(2020, 0, 1), to: Date.UTC(2030, 0, 1) };

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(2);
  await addMerchantWithRollups(database.pool);
});
afterAll(() => database?.close());

/** Commits page views of a merchant in the rollups, one an hour of these days, counted from MONDAY. */
const commit = (...days: number[]) =>
  commitNext(database.pool, [
    batchOf(
      days.flatMap((day) =>
        Array.from({ length: 24 }, (_, hour) =>
          eventRow({
            ts: MONDAY + day * DAY_MS + hour * 3_600_000,
            url: `https://shop.example/${hour % 2}`,
            page: `/${hour % 2}`,
            in_rollups: true,
          }),
        ),
      ),
    ),
  ]);

/** How many days, and how many weeks and four weeks, were refreshed. */
const refresh = async () => {
  await refreshGrain(database.pool, "15m");
  const days = await refreshGrain(database.pool, "1d");
  return [days.starts.length, await refreshWeeks()];
};

async function refreshWeeks(): Promise<number> {
  const [weeks, fourWeeks] = [
    await refreshGrain(database.pool, "7d"),
    await refreshGrain(database.pool, "28d"),
  ];
  return weeks.starts.length + fourWeeks.starts.length;
}

const sumsOf = async (aggregate: string) => {
  const { rows } = await database.pool.query<{ start: Date; events: number }>(
    `SELECT bucket AS start, sum(events)::integer AS events FROM ${aggregate} GROUP BY 1 ORDER BY 1`,
  );
  return rows.map(({ start, events }) => [(Number(start) - MONDAY) / DAY_MS, events]);
};

/** What an aggregate keeps its cells in. */
const tableOf = async (aggregate: string) => {
  const { rows } = await database.pool.query<{ name: string }>(
    `SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS name
     FROM timescaledb_information.continuous_aggregates WHERE view_name = $1`,
    [aggregate],
  );
  return rows[0]!.name;
};

test("weeks and four weeks are summed up from days, and again when late events came", async () => {
  await commit(0, 1, 6, 7, 22);
  expect(await refresh()).toEqual([5, 5]);
  expect(await sumsOf("pages_7d")).toEqual([
    [0, 72],
    [7, 24],
    [21, 24],
  ]);
  expect(await sumsOf("pages_28d")).toEqual([
    [-7, 96],
    [21, 24],
  ]);
  await commit(1);
  expect(await refresh()).toEqual([1, 2]);
  expect((await sumsOf("pages_28d"))[0]).toEqual([-7, 120]);
  expect(await refresh()).toEqual([0, 0]);
  expect(await verifyAggregates(database.pool, ALL)).toEqual([]);
});

test("a week that goes on is not refreshed", async () => {
  const today = Math.floor((Date.now() - MONDAY) / DAY_MS);
  await commit(today);
  expect(await refresh()).toEqual([0, 0]);
  await database.pool.query("DELETE FROM invalidations");
  await database.pool.query(
    "INSERT INTO invalidations VALUES ('7d', time_bucket(INTERVAL '7 days', now()), 0)",
  );
  expect(await refreshWeeks()).toBe(0);
  await database.pool.query("DELETE FROM invalidations");
});

test("wrong cells of days, weeks and four weeks are found, and repaired with what is built on them", async () => {
  const before = await Promise.all(["pages_1d", "pages_7d", "pages_28d"].map(sumsOf));
  await database.pool.query(
    `UPDATE ${await tableOf("pages_1d")} SET events = events + 1 WHERE bucket = $1 AND page = '/1'`,
    [new Date(MONDAY)],
  );
  await database.pool.query(`DELETE FROM ${await tableOf("pages_28d")} WHERE bucket = $1 AND page = '/0'`, [
    new Date(MONDAY + 21 * DAY_MS),
  ]);
  const wrong = await verifyAggregates(database.pool, {
    from: MONDAY - 21 * DAY_MS,
    to: MONDAY + 49 * DAY_MS,
  });
  expect(wrong).toEqual([
    { aggregate: "pages_1d", bucket: MONDAY, rows: 2 },
    // By its definition, which reads the wrong day.
    { aggregate: "pages_7d", bucket: MONDAY, rows: 2 },
    { aggregate: "pages_28d", bucket: MONDAY + 21 * DAY_MS, rows: 1 },
  ]);
  await repairAggregates(database.pool, wrong);
  expect(await Promise.all(["pages_1d", "pages_7d", "pages_28d"].map(sumsOf))).toEqual(before);
  expect(
    await verifyAggregates(database.pool, { from: MONDAY - 21 * DAY_MS, to: MONDAY + 49 * DAY_MS }),
  ).toEqual([]);
});
