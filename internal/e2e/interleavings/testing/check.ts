import { expect } from "vitest";
import { getBreakdown } from "../../../report/get-breakdown.ts";
import { getReport } from "../../../report/get-report.ts";
import { expectedSeries, recount } from "../../../report/testing/recount.ts";
import type { Pool } from "../../../store/pool.ts";
import { CONTINUOUS_AGGREGATES } from "../../../store/refresh.ts";
import { DAY, MERCHANTS, PARTITIONS, type Sent, START, type World } from "./world.ts";

/**
 * Every cell of every continuous aggregate equals the aggregate's own definition run over what it is built on, as the
 * catalogue has it, unless the cell waits for its refresh: then reports of its merchant's partition do not read it.
 */
export async function expectRightCells(pool: Pool): Promise<void> {
  for (const aggregate of CONTINUOUS_AGGREGATES) {
    const { rows } = await pool.query<{ definition: string; width: string }>(
      `SELECT view_definition AS definition,
         (SELECT bucket_width FROM _timescaledb_functions.cagg_get_bucket_function_info(h.id)) AS width
       FROM timescaledb_information.continuous_aggregates
       JOIN _timescaledb_catalog.hypertable h ON h.table_name = materialization_hypertable_name
       WHERE view_name = $1`,
      [aggregate],
    );
    const { definition, width } = rows[0]!;
    const wrong = await pool.query(
      `WITH counted AS (${definition.replace(/;\s*$/, "")}),
         partition_of AS (SELECT * FROM unnest($1::integer[], $2::integer[]) AS p (merchant_id, partition_id))
       SELECT different.* FROM (
         (SELECT 'kept' AS side, * FROM (TABLE ${aggregate} EXCEPT ALL TABLE counted) k)
         UNION ALL
         (SELECT 'counted' AS side, * FROM (TABLE counted EXCEPT ALL TABLE ${aggregate}) c)
       ) different JOIN partition_of USING (merchant_id)
       WHERE NOT EXISTS (SELECT 1 FROM stale_buckets s WHERE s.partition_id = partition_of.partition_id
         AND s.bucket >= different.bucket AND s.bucket < different.bucket + $3::interval)`,
      [MERCHANTS.map(({ merchantId }) => merchantId), MERCHANTS.map(({ partition }) => partition), width],
    );
    expect(wrong.rows, `cells of ${aggregate}`).toEqual([]);
  }
}

export const DIMENSIONS = {
  event_name: ({ name }) => name,
  page: ({ path }) => path,
  country: ({ country }) => country ?? "",
  channel: ({ channel }) => channel ?? "",
} as const satisfies Record<
  string,
  (event: { name: string; path: string; country: string | null; channel: string | null }) => string
>;

export type Dimension = keyof typeof DIMENSIONS;

/** Whatever the merchant may ask says what the list of events says, refreshed or not. */
export async function expectRightReports(
  pool: Pool,
  world: World,
  merchantId: number,
  dimensions: readonly Dimension[],
): Promise<void> {
  const deps = { pool, partitions: PARTITIONS, statementTimeoutMs: 60_000 };
  const merchant = MERCHANTS.find((other) => other.merchantId === merchantId)!;
  const dates = { kind: "dates" as const, start: dayOf(START - 95 * DAY), end: dayOf(world.now + DAY) };
  const rows = world.rows();
  for (const includeBots of [false, true]) {
    const report = await getReport(deps, merchant, { range: dates, includeBots });
    expect(report.series.map(({ metric, values, total }) => ({ metric, values, total }))).toEqual(
      expectedSeries(rows, merchantId, report.edges, includeBots),
    );
  }
  // The rows stand in the order of the stored events.
  const own = [...world.stored.values()].map((event, at) => ({ event, row: rows[at]! }));
  const people = own.filter(({ event }) => event.merchantId === merchantId && !event.isBot);
  for (const dimension of dimensions) {
    const read: (event: Sent) => string = DIMENSIONS[dimension];
    const breakdown = await getBreakdown(deps, merchant, {
      range: dates,
      dimension,
      metrics: ["events", "visitors", "revenue"],
    });
    const found = breakdown.values.map((value, at) => [
      value,
      ...breakdown.series.map(({ values }) => values[at]),
    ]);
    const groups = Map.groupBy(people, ({ event }) => read(event));
    const expected = [...groups].map(([value, members]) => {
      const { events, visitors, revenue } = recount(members.map(({ row }) => row));
      return [value, events, visitors, revenue];
    });
    expect(new Map(found.map((row) => [row[0], row])), dimension).toEqual(
      new Map(expected.map((row) => [row[0], row])),
    );
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
