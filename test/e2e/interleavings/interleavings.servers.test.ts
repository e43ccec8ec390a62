import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CONTINUOUS_AGGREGATES } from "../../../internal/store/continuous-aggregates.ts";
import { setChunkDays } from "../../../internal/store/maintenance/chunk-interval.ts";
import { verifyAggregates } from "../../../internal/store/maintenance/verify.ts";
import { forbidDecompression, openTestDatabase, type TestDatabase } from "../../kit/database.ts";
import { apply } from "./testing/apply.ts";
import { ALL_DIMENSIONS, expectRightCells, expectRightReports } from "./testing/check.ts";
import { type Operation, operations } from "./testing/operations.ts";
import { hasRollups, MERCHANTS, PARTITIONS, World } from "./testing/world.ts";

/** How many interleavings are tried; FOOTFALL_TEST_INTERLEAVINGS=500 takes the time for more of them. */
const RUNS = Number(process.env.FOOTFALL_TEST_INTERLEAVINGS ?? 3);
const ALL = { from: Date.UTC(2020, 0, 1), to: Date.UTC(2030, 0, 1) };

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  await database.pool.query(
    `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days) OVERRIDING SYSTEM VALUE
     SELECT id, 'shop', 'UTC', 'EUR', days FROM unnest($1::integer[], $2::integer[]) AS m (id, days)`,
    [MERCHANTS.map(({ merchantId }) => merchantId), MERCHANTS.map(({ retention }) => retention)],
  );
  await database.pool.query(
    "UPDATE merchants SET rollups_from = '2020-01-01Z', rollups_ready_from = '2020-01-01Z' WHERE merchant_id = ANY ($1)",
    [MERCHANTS.map(({ merchantId }) => merchantId).filter(hasRollups)],
  );
});
afterAll(() => database?.close());

/** As a new installation: nothing stored, nothing refreshed, and nothing that TimescaleDB holds for changed. */
async function empty(): Promise<void> {
  const { pool } = database;
  await forbidDecompression(pool);
  await pool.query(
    `TRUNCATE events, items, event_keys, distant_keys, order_keys, refund_keys, visitor_sessions, batch_ledger,
       retention_progress, invalidations`,
  );
  await setChunkDays(pool, 7);
  for (const aggregate of CONTINUOUS_AGGREGATES) {
    await pool.query(`TRUNCATE ${aggregate}`);
    await pool.query(`CALL refresh_continuous_aggregate('${aggregate}', NULL, NULL)`);
  }
}

async function expectAtRest(world: World): Promise<void> {
  const { pool } = database;
  await expectRightCells(pool);
  expect(await verifyAggregates(pool, ALL)).toEqual([]);
  for (const { merchantId } of MERCHANTS) await expectRightReports(pool, world, merchantId, ALL_DIMENSIONS);
}

async function tryOut(sequence: readonly Operation[]): Promise<void> {
  const { pool } = database;
  await empty();
  const world = new World();
  for (const [at, operation] of sequence.entries()) {
    await apply(pool, world, operation);
    await expectRightCells(pool);
    // By turns, for time's sake; all of them at the end.
    const { merchantId } = MERCHANTS[at % MERCHANTS.length]!;
    await expectRightReports(pool, world, merchantId, [ALL_DIMENSIONS[at % ALL_DIMENSIONS.length]!]);
  }
  await apply(pool, world, { do: "refresh" });
  expect((await pool.query("SELECT FROM invalidations WHERE grain = '15m'")).rows).toEqual([]);
  await expectAtRest(world);
  // And again when all of it is in the columnstore.
  await apply(pool, world, { do: "convert", days: -14 });
  await expectAtRest(world);
}

test("after any interleaving of commits, refreshes, conversions and retention, cells and reports are right", {
  timeout: 120_000 + RUNS * 15_000,
}, async () => {
  const seed = process.env.FOOTFALL_TEST_SEED;
  await fc.assert(fc.asyncProperty(operations, tryOut), {
    numRuns: RUNS,
    ...(seed !== undefined && { seed: Number(seed) }),
  });
});
