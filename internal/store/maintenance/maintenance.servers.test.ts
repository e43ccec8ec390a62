import { randomUUID, randomUUIDv7 } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventRow } from "../../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../../test/kit/commits.ts";
import { forbidDecompression, openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { updateMerchant } from "../merchants.ts";
import { refreshGrain } from "../refresh.ts";
import { chunkDays, setChunkDays } from "./chunk-interval.ts";
import { convertOld } from "./columnstore.ts";
import { repairAggregates } from "./repair.ts";
import { expire } from "./retention.ts";
import { tableSizes } from "./sizes.ts";
import { verifyAggregates } from "./verify.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 2, 20, 10);
const ALL = { from: Date.UTC(2020, 0, 1), to: Date.UTC(2030, 0, 1) };

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(1);
});
afterAll(() => database?.close());

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

/** Commits page views of a merchant, so many a day, each `daysAgo` days old. */
async function store(merchantId: number, ages: readonly number[], perDay = 3): Promise<void> {
  const rows = ages.flatMap((age) =>
    Array.from({ length: perDay }, (_, i) =>
      eventRow({ merchant_id: merchantId, ts: NOW - age * DAY + i * 60_000, received_at: NOW - age * DAY }),
    ),
  );
  await commitNext(database.pool, [batchOf(rows)]);
}

const counts = () =>
  query<{ merchant: number; rows: number }>(
    "SELECT merchant_id AS merchant, count(*)::integer AS rows FROM events GROUP BY 1 ORDER BY 1",
  );

const totals = () =>
  query<{ merchant: number; rows: number }>(
    "SELECT merchant_id AS merchant, sum(events)::integer AS rows FROM totals_15m GROUP BY 1 ORDER BY 1",
  );

/** As reports read it: aggregates where they are not stale, in each merchant's partition, and rows where they are. */
const recountReported = () =>
  query<{ merchant: number; rows: number }>(
    `SELECT merchant, sum(rows)::integer AS rows FROM (
       SELECT merchant_id AS merchant, events AS rows FROM totals_15m
       WHERE bucket NOT IN (SELECT start FROM invalidations WHERE grain = '15m')
       UNION ALL
       SELECT merchant_id, 1 FROM events
       WHERE time_bucket(INTERVAL '15 minutes', ts) IN (SELECT start FROM invalidations WHERE grain = '15m')
     ) counted GROUP BY 1 ORDER BY 1`,
  );

const status = () =>
  query<{ partial: number; converted: number }>(
    `SELECT count(*) FILTER (WHERE status & 8 <> 0)::integer AS partial,
       count(*) FILTER (WHERE status & 1 <> 0)::integer AS converted
     FROM _timescaledb_catalog.chunk WHERE hypertable_id =
       (SELECT id FROM _timescaledb_catalog.hypertable WHERE table_name = 'events')`,
  );

beforeEach(async () => {
  await query(
    "TRUNCATE events, items, event_keys, distant_keys, batch_ledger, invalidations, retention_progress, merchants CASCADE",
  );
  await query("CALL refresh_continuous_aggregate('totals_15m', NULL, NULL)");
});

/** Merchants 1, 2, ... with these retentions. */
const merchants = (...days: number[]) =>
  query(
    `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days) OVERRIDING SYSTEM VALUE
     SELECT n, 'shop', 'UTC', 'EUR', days FROM unnest($1::integer[]) WITH ORDINALITY AS m (days, n)`,
    [days],
  );

describe("columnstore", () => {
  test("chunks that ended are converted once, and again when late rows came; no row is lost", async () => {
    await store(1, [0, 10, 20]);
    await store(2, [20]);
    expect(await convertOld(database.pool, NOW - 3 * DAY)).toBe(2);
    expect(await convertOld(database.pool, NOW - 3 * DAY)).toBe(0);
    await store(1, [20]);
    expect(await status()).toEqual([{ partial: 1, converted: 2 }]);
    expect(await convertOld(database.pool, NOW - 3 * DAY)).toBe(1);
    expect(await status()).toEqual([{ partial: 0, converted: 2 }]);
    expect(await counts()).toEqual([
      { merchant: 1, rows: 12 },
      { merchant: 2, rows: 3 },
    ]);
  });

  test("the sizes tell chunks and bytes of every hypertable, aggregates by their names", async () => {
    await store(1, [0, 10, 20], 50);
    await convertOld(database.pool, NOW - 3 * DAY);
    const sizes = new Map((await tableSizes(database.pool)).map((size) => [size.table, size]));
    expect(sizes.get("events")).toMatchObject({ chunks: 3, converted: 2 });
    expect(sizes.get("events")!.bytes).toBeGreaterThan(8_192);
    expect([...sizes.keys()]).toEqual(expect.arrayContaining(["totals_15m", "event_keys", "batch_ledger"]));
  });
});

test("chunks of event keys are four times as long as those of events, within bounds", async () => {
  const keyDays = async () =>
    (
      await query<{ days: number }>(
        `SELECT extract(epoch FROM time_interval)::integer / 86400 AS days FROM timescaledb_information.dimensions
         WHERE hypertable_name = 'event_keys'`,
      )
    )[0]!.days;
  expect([await chunkDays(database.pool), await keyDays()]).toEqual([7, 28]);
  for (const [days, expected] of [
    [1, 7],
    [2, 8],
    [28, 90],
    [7, 28],
  ] as const) {
    await setChunkDays(database.pool, days);
    expect([await chunkDays(database.pool), await keyDays()]).toEqual([days, expected]);
  }
});

describe("retention", () => {
  test("each merchant's rows go after its own retention, and with them their quarter hours", async () => {
    await merchants(30, 60, 90);
    for (const merchant of [1, 2, 3]) await store(merchant, [0, 29, 31, 59, 61, 89, 120]);
    await query(
      "INSERT INTO order_keys SELECT 3, age::text, gen_random_uuid(), $1::timestamptz - age * INTERVAL '1 day' FROM unnest('{89,119,121}'::integer[]) age",
      [new Date(NOW)],
    );
    await convertOld(database.pool, NOW - 40 * DAY);
    await refreshGrain(database.pool, "15m");
    const expired = await expire(database.pool, NOW);
    // What is 120 days old goes with its chunks; of merchant 1 four days more, of merchant 2 two.
    expect(expired.rows).toBe((4 + 2) * 3);
    expect(expired.chunks).toBeGreaterThanOrEqual(1);
    await refreshGrain(database.pool, "15m");
    const left = [
      { merchant: 1, rows: 2 * 3 },
      { merchant: 2, rows: 4 * 3 },
      { merchant: 3, rows: 6 * 3 },
    ];
    expect(await counts()).toEqual(left);
    expect(await totals()).toEqual(left);
    expect(await query("SELECT order_id FROM order_keys ORDER BY 1")).toEqual([
      { order_id: "119" },
      { order_id: "89" },
    ]);
    expect(await verifyAggregates(database.pool, ALL)).toEqual([]);
    expect(await expire(database.pool, NOW)).toEqual({ chunks: 0, rows: 0, visitors: 0 });
  });

  test.each([
    ["a UUIDv4", randomUUID()],
    ["a UUIDv7", randomUUIDv7()],
  ])(
    "an event with %s that comes again after it counts once, until the retention and a month are over",
    async (_, id) => {
      await merchants(30);
      const row = eventRow({ event_id: id, ts: NOW, received_at: NOW });
      const again = async () => (await commitNext(database.pool, [batchOf([row])])).stored;
      expect(await again()).toBe(1);
      await expire(database.pool, NOW + 59 * DAY);
      expect(await again()).toBe(0);
      // A UUIDv7 of now stands in a chunk of 90 days.
      await expire(database.pool, Math.max(NOW, Date.now()) + 200 * DAY);
      expect(await query("SELECT 1 FROM event_keys")).toEqual([]);
    },
  );

  test("rows go from the columnstore however many they are, and dropped chunks leave no cells", async () => {
    await merchants(30, 90);
    for (const merchant of [1, 2]) await store(merchant, [20, 35, 45, 85, 95, 105]);
    await refreshGrain(database.pool, "15m");
    await convertOld(database.pool, NOW + 30 * DAY);
    await forbidDecompression(database.pool);
    expect((await expire(database.pool, NOW)).rows).toBeGreaterThanOrEqual(3 * 3);
    expect(await counts()).toEqual(await recountReported());
    await refreshGrain(database.pool, "15m");
    expect(await totals()).toEqual(await counts());
  });

  test("a merchant that keeps fewer days loses what is older, also where others have kept so few before", async () => {
    await merchants(30, 90, 90);
    for (const merchant of [1, 2]) await store(merchant, [20, 45, 60]);
    await expire(database.pool, NOW);
    await updateMerchant(database.pool, 2, { retentionDays: 30 });
    await expire(database.pool, NOW + 60_000);
    expect(await counts()).toEqual([
      { merchant: 1, rows: 3 },
      { merchant: 2, rows: 3 },
    ]);
  });

  test("without merchants nothing is forgotten", async () => {
    await store(1, [5_000]);
    expect(await expire(database.pool, NOW)).toEqual({ chunks: 0, rows: 0, visitors: 0 });
    expect(await counts()).toHaveLength(1);
  });
});

describe("verify", () => {
  test("aggregates that agree with the rows have no mismatch, invalid buckets do not count", async () => {
    await store(1, [0, 10]);
    expect(await verifyAggregates(database.pool, ALL)).toEqual([]);
    await refreshGrain(database.pool, "15m");
    expect(await verifyAggregates(database.pool, ALL)).toEqual([]);
  });

  test("a wrong, a missing and a superfluous cell are found and repaired", async () => {
    await store(1, [0, 10, 20]);
    await store(2, [0]);
    await refreshGrain(database.pool, "15m");
    const [{ table }] = (await query<{ table: string }>(
      `SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS table
       FROM timescaledb_information.continuous_aggregates WHERE view_name = 'totals_15m'`,
    )) as [{ table: string }];
    await query(`UPDATE ${table} SET events = events + 1 WHERE merchant_id = 1 AND bucket < $1`, [
      new Date(NOW - 19 * DAY),
    ]);
    await query(`DELETE FROM ${table} WHERE merchant_id = 2`);
    const wrong = await verifyAggregates(database.pool, ALL);
    const bucket = (time: number) => Math.floor(time / 900_000) * 900_000;
    expect(wrong).toEqual([
      { aggregate: "totals_15m", bucket: bucket(NOW - 20 * DAY), rows: 2 },
      { aggregate: "totals_15m", bucket: bucket(NOW), rows: 1 },
    ]);
    await repairAggregates(database.pool, wrong);
    expect(await verifyAggregates(database.pool, ALL)).toEqual([]);
    expect(await totals()).toEqual(await counts());
  });
});
