import { expect } from "vitest";
import { getBreakdown } from "../../../../internal/report/get-breakdown.ts";
import { getReport } from "../../../../internal/report/get-report.ts";
import { expectedSeries, recount } from "../../../../internal/report/testing/recount.ts";
import { CONTINUOUS_AGGREGATES } from "../../../../internal/store/continuous-aggregates.ts";
import type { Pool } from "../../../../internal/store/pool.ts";
import { DAY, MERCHANTS, PARTITIONS, type Sent, START, type World } from "./world.ts";

const DEFINITION = `SELECT view_definition AS definition,
    (SELECT bucket_width FROM _timescaledb_functions.cagg_get_bucket_function_info(h.id)) AS width
  FROM timescaledb_information.continuous_aggregates
  JOIN _timescaledb_catalog.hypertable h ON h.table_name = materialization_hypertable_name
  WHERE view_name = $1`;

/**
 * What waits for a refresh: tables whose names begin so, of partitions and the starts of what is stale. A cell waits
 * when something of its length or shorter does in it.
 */
export const STALE_TABLES = `SELECT t.table_name AS name, time.column_name AS start
  FROM information_schema.tables t
  JOIN information_schema.columns time USING (table_schema, table_name)
  WHERE t.table_name LIKE 'stale\\_%' AND t.table_schema = 'public'
    AND time.data_type = 'timestamp with time zone' AND time.column_name <> 'marked_at'`;

async function staleStarts(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ name: string; start: string }>(STALE_TABLES);
  return rows
    .map(({ name, start }) => `SELECT ${start} AS bucket, partition_id FROM ${name}`)
    .join(" UNION ALL ");
}

/** $1 merchants, $2 the partition of each, $3 length of a bucket. */
const differences = (aggregate: string, definition: string, stale: string) => `
  WITH counted AS (${definition.replace(/;\s*$/, "")}),
    partition_of AS (SELECT * FROM unnest($1::integer[], $2::integer[]) AS p (merchant_id, partition_id))
  SELECT different.* FROM (
    (SELECT 'kept' AS side, * FROM (TABLE ${aggregate} EXCEPT ALL TABLE counted) k)
    UNION ALL
    (SELECT 'counted' AS side, * FROM (TABLE counted EXCEPT ALL TABLE ${aggregate}) c)
  ) different JOIN partition_of USING (merchant_id)
  WHERE NOT EXISTS (SELECT 1 FROM (${stale}) s WHERE s.partition_id = partition_of.partition_id
    AND s.bucket >= different.bucket AND s.bucket < different.bucket + $3::interval)`;

/**
 * Every cell of every continuous aggregate equals the aggregate's own definition run over what it is built on, as the
 * catalogue has it, unless the cell waits for its refresh: then reports of its merchant's partition do not read it.
 */
export async function expectRightCells(pool: Pool): Promise<void> {
  const merchants = MERCHANTS.map(({ merchantId }) => merchantId);
  const partitions = MERCHANTS.map(({ partition }) => partition);
  const stale = await staleStarts(pool);
  for (const aggregate of CONTINUOUS_AGGREGATES) {
    const { rows } = await pool.query<{ definition: string; width: string }>(DEFINITION, [aggregate]);
    const { definition, width } = rows[0]!;
    const wrong = await pool.query(differences(aggregate, definition, stale), [merchants, partitions, width]);
    expect(wrong.rows, `cells of ${aggregate}`).toEqual([]);
  }
}

interface Told {
  readonly event: Sent;
  readonly row: ReturnType<World["rows"]>[number];
}

/** The value of an event, among all that count. */
const DIMENSIONS = {
  event_name: ({ event }: Told) => event.name,
  page: ({ event }: Told) => event.path,
  country: ({ event }: Told) => event.country ?? "",
  channel: ({ row: { session } }: Told, all: readonly Told[]) => {
    const visit = all.filter(({ event, row }) => row.session === session && event.channel !== null);
    visit.sort((a, b) => a.row.ts - b.row.ts || (a.event.channel! < b.event.channel! ? -1 : 1));
    return visit[0]?.event.channel ?? "";
  },
} as const;

/** What merchants ask for by value. */
export type Dimension = keyof typeof DIMENSIONS;
export const ALL_DIMENSIONS = Object.keys(DIMENSIONS) as Dimension[];

/** A merchant's reports over everything say what the list of events says, refreshed or not. */
export async function expectRightReports(
  pool: Pool,
  world: World,
  merchantId: number,
  dimensions: readonly Dimension[],
): Promise<void> {
  for (const includeBots of [false, true]) await expectRightSeries(pool, world, merchantId, includeBots);
  for (const dimension of dimensions) await expectRightBreakdown(pool, world, merchantId, dimension);
}

const askedBy = (pool: Pool, world: World, merchantId: number) => ({
  deps: { pool, partitions: PARTITIONS, statementTimeoutMs: 60_000 },
  merchant: MERCHANTS.find((other) => other.merchantId === merchantId)!,
  range: { kind: "dates" as const, start: dayOf(START - 95 * DAY), end: dayOf(world.now + DAY) },
});

async function expectRightSeries(pool: Pool, world: World, merchantId: number, includeBots: boolean) {
  const { deps, merchant, range } = askedBy(pool, world, merchantId);
  const report = await getReport(deps, merchant, { range, includeBots });
  expect(report.series.map(({ metric, values, total }) => ({ metric, values, total }))).toEqual(
    expectedSeries(world.rows(), merchantId, report.edges, includeBots),
  );
}

async function expectRightBreakdown(pool: Pool, world: World, merchantId: number, dimension: Dimension) {
  const { deps, merchant, range } = askedBy(pool, world, merchantId);
  const metrics = ["events", "visitors", "revenue"] as const;
  const { values, series } = await getBreakdown(deps, merchant, { range, dimension, metrics });
  const found = values.map((value, at) => [value, ...series.map((each) => each.values[at])] as const);
  // The rows stand in the order of the stored events.
  const rows = world.rows();
  const all = [...world.stored.values()].map((event, at) => ({ event, row: rows[at]! }));
  const people = all.filter(({ event }) => event.merchantId === merchantId && !event.isBot);
  const groups = Map.groupBy(people, (one) => DIMENSIONS[dimension](one, people));
  const expected = [...groups].map(([value, members]) => {
    const counts = recount(members.map(({ row }) => row));
    return [value, ...metrics.map((metric) => counts[metric])] as const;
  });
  const byValue = (a: readonly unknown[], b: readonly unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
  expect(found.toSorted(byValue), dimension).toEqual(expected.toSorted(byValue));
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
