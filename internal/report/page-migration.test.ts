import { afterAll, beforeAll, expect, test } from "vitest";
import { partitionOf } from "../event/partition.ts";
import { DAY_AGGREGATES } from "../store/continuous-aggregates.ts";
import { convertOld } from "../store/maintenance/columnstore.ts";
import { verifyAggregates } from "../store/maintenance/verify.ts";
import { migrate } from "../store/migrate.ts";
import { refreshStale } from "../store/refresh.ts";
import { refreshStaleDays } from "../store/refresh-days.ts";
import { refreshStaleSpans } from "../store/refresh-spans.ts";
import { DAY_MS } from "../store/rollups.ts";
import { eventRow } from "../testkit/columns.ts";
import { batchOf, commitNext } from "../testkit/commits.ts";
import { openEmptyDatabase, type TestDatabase, testPool } from "../testkit/database.ts";
import { migrateBefore } from "../testkit/older-database.ts";
import type { DimensionName } from "./dimensions/registry.ts";
import { getBreakdown } from "./get-breakdown.ts";
import { A, PARTITIONS } from "./testing/fixture.ts";
import { insertMerchants } from "./testing/merchants.ts";

const PARTITION = partitionOf(A, PARTITIONS);
/** A Monday with which four weeks begin: 28 days are counted from 2000-01-03 on. */
const START = Date.UTC(2025, 1, 24);
const DAYS = 30;

/** Urls with the page and host that a person would read from them. */
const URLS = [
  ["https://shop.example/a?q=1", "/a", "shop.example"],
  ["https://SHOP.example:8443/b/#x", "/b/", "shop.example"],
  ["http://user@other.example", "/", "other.example"],
  ["no address", null, null],
  [null, null, null],
] as const;

interface Stored {
  readonly ts: number;
  readonly visitor: number;
  readonly url: (typeof URLS)[number];
}

const rows: Stored[] = Array.from({ length: 400 }, (_, i) => ({
  // None on some days.
  ts: START + ((i * 7) % DAYS) * DAY_MS + (i % 90) * 60_000,
  visitor: (i * i) % 37,
  url: URLS[(i * 3) % URLS.length]!,
})).filter(({ ts }) => ((ts - START) / DAY_MS) % 9 >= 1);
const daysOf = (some: readonly Stored[]) => [
  ...new Set(some.map(({ ts }) => Math.floor(ts / DAY_MS) * DAY_MS)),
];

let database: TestDatabase;
beforeAll(async () => {
  database = await openEmptyDatabase();
  await migrateBefore(database.url, 14, PARTITIONS);
  await insertMerchants(database.pool, [A], new Map([[A, Date.UTC(2020, 0)]]));
  await query(
    `WITH stored AS (
       INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name, url,
         in_rollups)
       SELECT $1, to_timestamp(ms / 1000), now(), gen_random_uuid(), visitor, visitor, 10, 'page_view', url, true
       FROM jsonb_to_recordset($2) AS r (ms float8, visitor bigint, url text) RETURNING ts
     )
     INSERT INTO stale_buckets (bucket, partition_id, written_seq)
     SELECT DISTINCT time_bucket(INTERVAL '15 minutes', ts), $3::integer, 1 FROM stored`,
    [A, JSON.stringify(rows.map(({ ts, visitor, url: [url] }) => ({ ms: ts, visitor, url }))), PARTITION],
  );
});
afterAll(() => database?.close());

const query = async <T>(sql: string, values: unknown[] = []) =>
  (await database.pool.query(sql, values)).rows as T[];

const refreshAll = async () => {
  await refreshStale(database.pool);
  const found = await query<{ name: string }>(
    "SELECT view_name AS name FROM timescaledb_information.continuous_aggregates WHERE view_name = ANY ($1)",
    [DAY_AGGREGATES],
  );
  const names = new Set(found.map(({ name }) => name));
  await refreshStaleDays(
    database.pool,
    undefined,
    undefined,
    DAY_AGGREGATES.filter((name) => names.has(name)),
  );
  await refreshStaleSpans(database.pool);
};

type Metric = "events" | "visitors";

async function ask(dimension: DimensionName, metrics: readonly Metric[]) {
  const range = { kind: "dates" as const, start: dayText(START), end: dayText(START + DAYS * DAY_MS) };
  const { values, series } = await getBreakdown(
    { pool: database.pool, partitions: PARTITIONS, statementTimeoutMs: 30_000 },
    { merchantId: A, timeZone: "UTC", currency: "EUR" },
    { range, dimension, metrics },
  );
  return Object.fromEntries(values.map((value, at) => [value, series.map((one) => Number(one.values[at]))]));
}

const dayText = (time: number) => new Date(time).toISOString().slice(0, 10);

/** Breakdowns from rows (visitors) and, as far as they are refreshed, from cells say what the list of rows says. */
async function expectRightBreakdowns(): Promise<void> {
  for (const [dimension, at] of [
    ["page", 1],
    ["host", 2],
  ] as const) {
    const groups = [...Map.groupBy(rows, ({ url }) => url[at] ?? "")];
    const events = groups.map(([value, own]) => [value, [own.length]]);
    expect(await ask(dimension, ["events"])).toEqual(Object.fromEntries(events));
    const both = groups.map(([value, own]) => [
      value,
      [own.length, new Set(own.map(({ visitor }) => visitor)).size],
    ]);
    expect(await ask(dimension, ["events", "visitors"])).toEqual(Object.fromEntries(both));
  }
}

const verified = () =>
  verifyAggregates(database.pool, { from: START - 40 * DAY_MS, to: START + 100 * DAY_MS });

interface Mark {
  readonly ms: number;
  readonly partition_id: number;
  readonly version: number;
}
const marks = () =>
  query<Mark>(
    `SELECT (extract(epoch FROM day) * 1000)::float8 AS ms, partition_id, version::integer FROM stale_days ORDER BY 1, 2`,
  );

test("a database with cells, and rows in the columnstore, is right at once after the migration", async () => {
  await refreshAll();
  await convertOld(database.pool, START + 15 * DAY_MS);
  // A day that a refresh is at work on.
  await query("INSERT INTO stale_days (day, partition_id) VALUES ($1, $2)", [
    new Date(START + DAY_MS),
    PARTITION,
  ]);
  const [before] = await marks();
  const pool = testPool(database.url, 1);
  expect(await migrate(pool, PARTITIONS)).toContain("0014_page_and_host.sql");
  await pool.end();
  const after = await marks();
  const expected = daysOf(rows)
    .toSorted((a, b) => a - b)
    .flatMap((ms) => Array.from({ length: PARTITIONS }, (_, partition) => `${ms} ${partition}`));
  expect(after.map(({ ms, partition_id }) => `${ms} ${partition_id}`)).toEqual(expected);
  // The end of that refresh does not clear the mark.
  const same = after.find(
    ({ ms, partition_id }) => ms === before!.ms && partition_id === before!.partition_id,
  );
  expect(same!.version).toBeGreaterThan(before!.version);
  await expectRightBreakdowns();
});

test("and when old and new rows are in one chunk, as cells and as rows, before and after their refresh", async () => {
  const late = rows
    .slice(0, 60)
    .map((row, at) => ({ ...row, ts: row.ts + 30_000, url: URLS[at % URLS.length]! }));
  const batch = late.map(({ ts, visitor, url: [url, page, host] }) =>
    eventRow({
      ...{ merchant_id: A, ts, visitor_id: BigInt(visitor), session_id: BigInt(visitor) || 99n },
      ...{ url, page, host, in_rollups: true },
    }),
  );
  await commitNext(database.pool, [batchOf(batch)], { partition: PARTITION });
  rows.push(...late);
  await expectRightBreakdowns();
  await refreshStale(database.pool);
  await expectRightBreakdowns();
  await refreshStaleDays(database.pool);
  expect(await marks()).toEqual([]);
  await expectRightBreakdowns();
  await refreshStaleSpans(database.pool);
  expect(await verified()).toEqual([]);
  await expectRightBreakdowns();
});

test("cells are read by the column, not by the url", async () => {
  const cells = await query<{ pages: string; names: string; weeks: string; months: string }>(
    `SELECT (SELECT sum(events) FROM pages_1d) AS pages, (SELECT sum(events) FROM event_names_1d) AS names,
       (SELECT sum(events) FROM pages_7d) AS weeks, (SELECT sum(events) FROM pages_28d) AS months`,
  );
  const all = String(rows.length);
  expect(cells).toEqual([{ pages: all, names: all, weeks: all, months: all }]);
  await query("UPDATE events SET url = 'https://changed.example/changed' WHERE page IS NOT NULL");
  expect(await verified()).toEqual([]);
  await expectRightBreakdowns();
});
