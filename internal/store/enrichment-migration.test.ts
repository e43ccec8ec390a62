import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../event/partition.ts";
import { openEmptyDatabase, type TestDatabase, testPool } from "../testkit/database.ts";
import { migrateBefore } from "../testkit/migrate-before.ts";
import { migrate } from "./migrate.ts";
import { refreshStale } from "./refresh.ts";

const PARTITIONS = 4;
const HOUR = 3_600_000;
const START = Date.UTC(2026, 2, 1);
const MERCHANTS = Array.from({ length: 12 }, (_, at) => at + 1);

let database: TestDatabase;

beforeAll(async () => {
  database = await openEmptyDatabase();
  await migrateBefore(database, 3, PARTITIONS);
});

afterAll(() => database?.close());

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

const INSERT = `INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version,
    name, order_id, order_revenue_micros, revenue_micros)
  VALUES ($1, to_timestamp($2::float8 / 1000), to_timestamp($2::float8 / 1000), gen_random_uuid(), 1, 1, 1, $3, $4, $5, $5)`;

/** A merchant's events: a page view an hour, and three orders of which one comes twice, and a refund. */
async function insertEvents(merchant: number): Promise<void> {
  for (let hour = 0; hour < 30; hour += merchant) {
    await query(INSERT, [merchant, START + hour * HOUR, "page_view", null, null]);
  }
  const orders = [
    ["purchase", "o-1", 10],
    ["purchase", "o-2", 20],
    ["purchase", "o-1", 10],
    ["refund", "o-2", 5],
    ["purchase", "o-3", null],
  ];
  for (const [at, [name, id, revenue]] of orders.entries()) {
    await query(INSERT, [merchant, START + at * 60_000, name, id, revenue]);
  }
}

/** The aggregate where it is not stale and the rows where it is, as reports count. */
const REPORT = `SELECT
    coalesce(sum(events), 0)::integer AS events, coalesce(sum(orders), 0)::integer AS orders,
    coalesce(sum(unconverted_orders), 0)::integer AS unconverted, coalesce(sum(revenue_micros), 0)::integer AS revenue
  FROM (
    SELECT events, orders, unconverted_orders, revenue_micros FROM totals_15m
    WHERE merchant_id = $1 AND bucket NOT IN (SELECT bucket FROM stale_buckets WHERE partition_id = $2)
    UNION ALL
    SELECT count(*), count(*) FILTER (WHERE order_kind = 1),
      count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL), sum(revenue_micros)
    FROM stale_buckets s JOIN events e ON e.ts >= s.bucket AND e.ts < s.bucket + INTERVAL '15 minutes'
    WHERE s.partition_id = $2 AND e.merchant_id = $1
  ) both_sources`;

async function expectReports(): Promise<void> {
  for (const merchant of MERCHANTS) {
    const expected = {
      events: Math.ceil(30 / merchant) + 5,
      orders: 3,
      unconverted: 1,
      revenue: 10 + 20 - 5,
    };
    expect(await query(REPORT, [merchant, partitionOf(merchant, PARTITIONS)])).toEqual([expected]);
  }
}

test("a database with data, compressed, is right at once after the migration, and after each refresh", async () => {
  for (const merchant of MERCHANTS) await insertEvents(merchant);
  await query("CALL refresh_continuous_aggregate('totals_15m', NULL, NULL)");
  await query(
    "ALTER TABLE events SET (timescaledb.compress, timescaledb.compress_orderby = 'merchant_id, ts')",
  );
  await query("SELECT compress_chunk(chunk) FROM show_chunks('events') AS chunk");
  // A bucket that a former run left stale, with the position that a slow refresher may still hold.
  await query("INSERT INTO stale_buckets VALUES (to_timestamp($1::float8 / 1000), 0, 0)", [START]);
  const pool = testPool(database.url, 1);
  expect(await migrate(pool, PARTITIONS)).toContain("0003_enrichment.sql");
  await pool.end();
  const stale = await query<{ bucket: Date; partition_id: number; written_seq: string }>(
    "SELECT * FROM stale_buckets ORDER BY bucket, partition_id",
  );
  // What each partition's merchants wrote to, by event/partition.ts.
  const written = new Set<string>();
  for (const merchant of MERCHANTS) {
    const partition = partitionOf(merchant, PARTITIONS);
    for (let hour = 0; hour < 30; hour += merchant) written.add(`${START + hour * HOUR} ${partition}`);
  }
  expect(stale.map((row) => `${row.bucket.getTime()} ${row.partition_id}`).sort()).toEqual(
    [...written].sort(),
  );
  expect(new Set(stale.map(({ written_seq }) => written_seq))).toEqual(new Set(["-1"]));
  await expectReports();
  await refreshStale(database.pool);
  expect(await query("SELECT FROM stale_buckets")).toEqual([]);
  await expectReports();
});

test("its orders are claimed by the events that count, and told from repeats and refunds", async () => {
  expect(
    await query(
      `SELECT order_kind AS kind, count(*)::integer AS events, count(revenue_micros)::integer AS converted
       FROM events WHERE order_id IS NOT NULL GROUP BY 1 ORDER BY 1`,
    ),
  ).toEqual([
    { kind: 1, events: 36, converted: 24 },
    { kind: 2, events: 12, converted: 0 },
    { kind: 3, events: 12, converted: 12 },
  ]);
  const [keys] = await query<{ keys: number; matched: number }>(
    `SELECT (SELECT count(*) FROM order_keys)::integer AS keys,
       (SELECT count(*) FROM order_keys k JOIN events e USING (merchant_id, order_id, event_id, ts)
        WHERE e.order_kind = 1)::integer AS matched`,
  );
  expect(keys).toEqual({ keys: 36, matched: 36 });
});
