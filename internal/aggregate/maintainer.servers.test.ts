import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventRow } from "../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../test/kit/commits.ts";
import { openTestDatabase, type TestDatabase } from "../../test/kit/database.ts";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { GRAINS } from "../store/continuous-aggregates.ts";
import { isLoaded } from "../store/maintenance/columnstore.ts";
import { verifyAggregates } from "../store/maintenance/verify.ts";
import { createMerchant } from "../store/merchants.ts";
import { refreshAll, refreshGrain } from "../store/refresh.ts";
import { createLogger } from "../telemetry/logger.ts";
import { keepMaintaining, type MaintainerDeps } from "./maintainer.ts";

const DAY = 86_400_000;
const TODAY = Math.floor(Date.now() / DAY) * DAY;
const FIRST = TODAY - 60 * DAY;
const DAYS = 20;
const PER_DAY = 5;
const HOUR = 3_600_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());

/** Refreshes as the refresher does, without its pauses. */
async function refreshing(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { name } of GRAINS) {
      await refreshGrain(database.pool, name, { rollupEventsPerDay: PER_DAY });
    }
    await sleep(100);
  }
}

test("history that is imported has rollups and is in the columnstore soon, though the next round is far", async () => {
  const { pool } = database;
  const shop = { name: "Shop", timeZone: "UTC", currency: "EUR", retentionDays: 400 };
  const { merchantId } = await createMerchant(pool, shop);
  const stop = new AbortController();
  const deps: MaintainerDeps = {
    ...{ pool, log: createLogger("test", "silent"), partitions: 1, columnstoreAfterDays: 1 },
    ...{ intervalMs: HOUR, lookMs: 100 },
  };
  const working = Promise.all([keepMaintaining(deps, stop.signal), refreshing(stop.signal)]);
  const times = Array.from({ length: DAYS * PER_DAY }, (_, at) => FIRST + (at / PER_DAY) * DAY);
  const rows = times.map((ts) => eventRow({ merchant_id: merchantId, ts: Math.floor(ts) }));
  // Everything is committed up to a time by which every aggregator knows of the merchant.
  await commitNext(pool, [batchOf(rows)], { storedThrough: Date.now() + HOUR });
  const state = async () => {
    const { rows: found } = await pool.query(
      `SELECT (SELECT extract(epoch FROM rollups_ready_from)::float8 * 1000 FROM merchants) AS ready,
         (SELECT rollups_wanted_from FROM merchants) AS wanted,
         (SELECT count(*)::integer FROM invalidations WHERE grain IN ('15m', '1d')) AS invalid,
         (SELECT coalesce(sum(events), 0)::integer FROM visits_1d) AS events,
         (SELECT count(*)::integer FROM timescaledb_information.chunks
          WHERE hypertable_name = 'events' AND NOT is_compressed) AS loose`,
    );
    return found[0];
  };
  const done = { ready: FIRST, wanted: null, invalid: 0, events: rows.length, loose: 0 };
  await waitFor(
    "rollups and the columnstore",
    async () => JSON.stringify(await state()) === JSON.stringify(done),
    150_000,
  );
  stop.abort();
  await working;
  await refreshAll(pool);
  expect(await verifyAggregates(pool, { from: FIRST - DAY, to: TODAY })).toEqual([]);
}, 200_000);

test("a load is over when none of its buckets waits for a refresh any more", async () => {
  const { pool } = database;
  const old = TODAY - 200 * DAY;
  const before = TODAY - DAY;
  expect(await isLoaded(pool, before)).toBe(false);
  await commitNext(pool, [batchOf([eventRow({ ts: old })])]);
  expect(await isLoaded(pool, before)).toBe(false);
  await refreshGrain(pool, "15m");
  expect(await isLoaded(pool, before)).toBe(false);
  await refreshAll(pool);
  expect(await isLoaded(pool, before)).toBe(true);
  expect(await isLoaded(pool, old)).toBe(false);
});
