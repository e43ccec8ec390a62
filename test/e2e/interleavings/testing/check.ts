import { create } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { RunReportRequestSchema } from "../../../../internal/gen/footfall/query/v1/report_pb.js";
import { Traffic } from "../../../../internal/gen/footfall/query/v1/scope_pb.js";
import { readReport } from "../../../../internal/query/rpc/read-report.ts";
import { answerQuestion } from "../../../../internal/query/run/answer-question.ts";
import { schemaOf } from "../../../../internal/query/schema/schema.ts";
import { CONTINUOUS_AGGREGATES } from "../../../../internal/store/continuous-aggregates.ts";
import type { Pool } from "../../../../internal/store/pool.ts";
import { datesFrom } from "../../../kit/installation-reports.ts";
import { METRICS, recountRows } from "./recount.ts";
import { DAY, MERCHANTS, type Sent, START, type World } from "./world.ts";

const DEFINITION = `SELECT view_definition AS definition,
    (SELECT bucket_width FROM _timescaledb_functions.cagg_get_bucket_function_info(h.id)) AS width
  FROM timescaledb_information.continuous_aggregates
  JOIN _timescaledb_catalog.hypertable h ON h.table_name = materialization_hypertable_name
  WHERE view_name = $1`;

/** $1 merchants, $2 the partition of each, $3 length of a bucket. */
const differences = (aggregate: string, definition: string) => `
  WITH counted AS (${definition.replace(/;\s*$/, "")}),
    partition_of AS (SELECT * FROM unnest($1::integer[], $2::integer[]) AS p (merchant_id, partition_id))
  SELECT different.* FROM (
    (SELECT 'kept' AS side, * FROM (TABLE ${aggregate} EXCEPT ALL TABLE counted) k)
    UNION ALL
    (SELECT 'counted' AS side, * FROM (TABLE counted EXCEPT ALL TABLE ${aggregate}) c)
  ) different JOIN partition_of USING (merchant_id)
  WHERE NOT EXISTS (SELECT FROM invalidations i WHERE i.partition_id = partition_of.partition_id
    AND i.start >= different.bucket AND i.start < different.bucket + $3::interval)`;

/**
 * Every cell of every continuous aggregate equals the aggregate's own definition run over what it is built on, as the
 * catalogue has it, unless something in the cell waits for its refresh: then reports of its merchant's partition do not read it.
 */
export async function expectRightCells(pool: Pool): Promise<void> {
  const merchants = MERCHANTS.map(({ merchantId }) => merchantId);
  const partitions = MERCHANTS.map(({ partition }) => partition);
  for (const aggregate of CONTINUOUS_AGGREGATES) {
    const { rows } = await pool.query<{ definition: string; width: string }>(DEFINITION, [aggregate]);
    const { definition, width } = rows[0]!;
    const wrong = await pool.query(differences(aggregate, definition), [merchants, partitions, width]);
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
  for (const traffic of [Traffic.PEOPLE, Traffic.ALL]) {
    await expectRightSeries(pool, world, merchantId, traffic);
  }
  for (const dimension of dimensions) await expectRightBreakdown(pool, world, merchantId, dimension);
}

interface Asked {
  readonly traffic?: Traffic;
  readonly metrics: readonly string[];
  readonly dimension: string;
}

const SCHEMA = schemaOf({ goals: [], properties: [] });

/** A merchant's report over everything: rows of the dimension's value and the metrics, and the edges of `time`. */
async function ask(pool: Pool, world: World, merchantId: number, asked: Asked) {
  const { partition: partitionId, ...merchant } = MERCHANTS.find((other) => other.merchantId === merchantId)!;
  const request = create(RunReportRequestSchema, {
    period: datesFrom(dayOf(START - 95 * DAY), dayOf(world.now + DAY)),
    scope: { traffic: asked.traffic ?? Traffic.PEOPLE },
    metrics: [...asked.metrics],
    dimensions: [asked.dimension],
    pageSize: 10_000,
  });
  const { question } = readReport(request, { ...merchant, partitionId }, SCHEMA, world.now);
  const { table, totals } = await answerQuestion(pool, question, { statementTimeoutMs: 60_000 });
  const rows = Array.from({ length: table.rows }, (_, row) =>
    table.columns.map(({ values }) => values[row]!),
  );
  return { rows, totals: totals.columns.map(({ values }) => values[0]!), edges: question.spans[0].edges };
}

async function expectRightSeries(pool: Pool, world: World, merchantId: number, traffic: Traffic) {
  const asked = { traffic, metrics: METRICS, dimension: "time" };
  const { rows, totals, edges } = await ask(pool, world, merchantId, asked);
  const own = world.rows().filter((row) => row.merchantId === merchantId);
  const count = (start: number, end: number) => {
    const within = own.filter(({ ts }) => ts >= start && ts < end);
    const counts = recountRows(within, traffic === Traffic.ALL);
    return METRICS.map((metric) => counts[metric]);
  };
  const buckets = edges!.slice(1).map((end, at) => [at, ...count(edges![at]!, end)]);
  expect(rows).toEqual(buckets);
  expect(totals).toEqual(count(edges![0]!, edges!.at(-1)!));
}

async function expectRightBreakdown(pool: Pool, world: World, merchantId: number, dimension: Dimension) {
  const metrics = ["events", "visitors", "revenue"] as const;
  const { rows: found } = await ask(pool, world, merchantId, { metrics, dimension });
  // The rows stand in the order of the stored events.
  const rows = world.rows();
  const all = [...world.stored.values()].map((event, at) => ({ event, row: rows[at]! }));
  const people = all.filter(({ event }) => event.merchantId === merchantId && !event.isBot);
  const groups = Map.groupBy(people, (one) => DIMENSIONS[dimension](one, people));
  const expected = [...groups].map(([value, members]) => {
    const counts = recountRows(members.map(({ row }) => row));
    return [value === "" ? null : value, ...metrics.map((metric) => counts[metric])];
  });
  const byValue = (a: readonly unknown[], b: readonly unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
  expect(found.toSorted(byValue), dimension).toEqual(expected.toSorted(byValue));
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
