import { afterAll, beforeAll, expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createRegistry } from "../telemetry/metrics.ts";
import { Lags } from "./lags.ts";
import { aggregateMetrics } from "./metrics.ts";
import { keepRefreshing } from "./refresher.ts";

const QUARTER = 15 * 60_000;
const T = Date.UTC(2026, 2, 2);

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());

test("a span that cannot be refreshed is counted and told of, and all others go on", async () => {
  const { pool } = database;
  const registry = createRegistry("test");
  const metrics = aggregateMetrics(registry, 1);
  const metric = async (name: string) => (await registry.getSingleMetric(name)!.get()).values[0]?.value;
  const failures = () => metric("footfall_aggregator_refresh_failures_total");
  const setApart = () => metric("footfall_aggregator_refresh_set_apart");
  // Before anything has failed there are samples, too.
  expect([await failures(), await setApart()]).toEqual([0, 0]);
  await pool.query(
    "CREATE INDEX hostile ON totals_15m ((1 / (CASE WHEN merchant_id = 2 THEN 0 ELSE 1 END)))",
  );
  const told: unknown[] = [];
  const log = createLogger("test", "silent");
  Object.assign(log, { error: (fields: unknown) => told.push(fields) });
  const commit = (merchant_id: number, ts: number) =>
    commitNext(pool, [batchOf([eventRow({ merchant_id, ts })])]);
  await commit(1, T);
  await commit(2, T + QUARTER);
  const stop = new AbortController();
  const working = keepRefreshing(
    { pool, metrics, lags: new Lags(metrics, 1), log, intervalMs: 10, rollupEventsPerDay: 0 },
    stop.signal,
  );
  const stale = async () => (await pool.query("SELECT FROM invalidations WHERE grain = '15m'")).rowCount;
  await waitFor("the other quarter hour", async () => (await stale()) === 1, 60_000);
  await commit(1, T + 4 * QUARTER);
  await waitFor("the next quarter hour", async () => (await stale()) === 1, 60_000);
  expect((await pool.query("SELECT DISTINCT merchant_id FROM totals_15m")).rows).toEqual([
    { merchant_id: 1 },
  ]);
  expect([await setApart(), await failures()]).toEqual([1, told.length]);
  expect(told[0]).toMatchObject({ from: new Date(T + QUARTER).toISOString(), aggregates: ["totals_15m"] });
  stop.abort();
  await working;
}, 150_000);
