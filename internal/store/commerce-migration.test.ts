import { afterAll, beforeAll, expect, test } from "vitest";
import { addMerchantWithRollups, openEmptyDatabase, type TestDatabase } from "../testkit/database.ts";
import { migrateBefore } from "../testkit/older-database.ts";
import { convertOld } from "./maintenance/columnstore.ts";
import { migrate } from "./migrate.ts";
import { refreshStaleSpans } from "./refresh-spans.ts";

const DAY_MS = 86_400_000;
/** A Monday. */
const MONDAY = Date.UTC(2025, 5, 2);

let database: TestDatabase;
beforeAll(async () => {
  database = await openEmptyDatabase();
  await migrateBefore(database.url, 19, 1);
});
afterAll(() => database?.close());

test("quantities of before are in micros, in the columnstore too; weeks hold sums that pass 64 bits", async () => {
  const { pool } = database;
  await addMerchantWithRollups(pool);
  await pool.query("INSERT INTO partitions (partition_id) VALUES (0) ON CONFLICT DO NOTHING");
  const days = [0, 1].map((day) => new Date(MONDAY + day * DAY_MS));
  for (const day of days) {
    await pool.query(
      `INSERT INTO items (merchant_id, ts, event_id, position, item_id, price_micros, quantity)
       SELECT 1, $1, gen_random_uuid(), 0, quantity::text, 1, quantity FROM unnest('{1,2,1000000}'::integer[]) quantity`,
      [day],
    );
    await pool.query(
      `INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name, page,
         order_kind, revenue_micros, in_rollups)
       VALUES (1, $1, $1, gen_random_uuid(), 1, 1, 1, 'purchase', '/', 1, 9000000000000000000, true)`,
      [day],
    );
  }
  await convertOld(pool, MONDAY + 60 * DAY_MS);
  await pool.query("CALL refresh_continuous_aggregate('pages_1d', NULL, NULL)");
  await migrate(pool, 1);
  const { rows } = await pool.query(
    "SELECT item_id AS was, quantity_micros::text AS micros FROM items ORDER BY ts, 1",
  );
  const each = [
    { was: "1", micros: "1000000" },
    { was: "1000000", micros: "1000000000000" },
    { was: "2", micros: "2000000" },
  ];
  expect(rows).toEqual([...each, ...each]);
  expect(await refreshStaleSpans(pool)).toBe(2);
  for (const table of ["pages_7d", "pages_28d"]) {
    const sums = await pool.query(`SELECT revenue_micros::text AS revenue FROM ${table}`);
    expect(sums.rows).toEqual([{ revenue: "18000000000000000000" }]);
  }
});
