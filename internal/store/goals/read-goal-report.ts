import { type Freshness, readFreshness } from "../freshness.ts";
import { type Goal, listGoals } from "../goals.ts";
import type { Client, Pool } from "../pool.ts";
import { checkScope, type Scope } from "../report/scope.ts";
import { BIGINT_TYPES, inSnapshot, type ReadLimits } from "../snapshot.ts";
import { GOAL_COLUMNS, type GoalReportSql, goalReportSql } from "./sql.ts";

export interface GoalReportQuery extends Scope, GoalReportSql {
  /** The partition that the merchant lives in. */
  readonly partitionId: number;
  /** Bucket edges, epoch milliseconds, strictly ascending, two or more, of years with four digits. */
  readonly edges: readonly number[];
}

/** Numbers over time: values[i] belongs to bucket i, 0 where nothing happened. */
export interface Counts {
  readonly values: readonly bigint[];
  /** Over the whole span. */
  readonly total: bigint;
}

/** What was reached of a goal: events, their visitors, their revenue, and the orders that lack in it. */
export type GoalCounts = Readonly<Record<(typeof GOAL_COLUMNS)[number], Counts>>;

export interface GoalReportData extends Freshness {
  /** All visitors, whether they reached a goal or not. */
  readonly visitors: Counts;
  /** In the order of the query's goals. */
  readonly goals: readonly GoalCounts[];
}

/** bucket_number, the visitors, and the columns of each goal. */
type Row = [bucketNumber: number | null, ...counts: bigint[]];

/** The merchant's goals, within the bounds of a report. */
export function listGoalsWithin(pool: Pool, merchantId: number, limits: ReadLimits): Promise<Goal[]> {
  return inSnapshot(pool, limits, async (client) => {
    const goals = await listGoals(client, merchantId);
    limits.onRead?.(["goals"], goals.length);
    return goals;
  });
}

/**
 * Counts what a merchant's events reached of its goals, in one scan, in the snapshot of data_through.
 *
 * @throws TypeError for what no caller may pass; pg's errors otherwise (SQLSTATE 57014 when the statement took too long).
 */
export async function readGoalReport(pool: Pool, query: GoalReportQuery): Promise<GoalReportData> {
  checkScope(query);
  if (query.edges.length < 2) throw new TypeError("a report needs two edges or more");
  return inSnapshot(pool, query, async (client) => {
    const rows = await rowsOf(client, query);
    const column = (index: number) => countsOf(rows, index, query.edges.length - 1);
    const goals = query.goals.map((_, goal) => {
      const first = 1 + goal * GOAL_COLUMNS.length;
      return Object.fromEntries(GOAL_COLUMNS.map((name, at) => [name, column(first + at)])) as GoalCounts;
    });
    return { visitors: column(0), goals, ...(await readFreshness(client, query.partitionId)) };
  });
}

async function rowsOf(client: Client, query: GoalReportQuery): Promise<Row[]> {
  const { text, values } = goalReportSql(query);
  const edges = query.edges.map((edge) => new Date(edge).toISOString());
  const result = await client.query<Row>({
    text,
    values: [query.merchantId, edges[0], edges.at(-1), edges, ...values],
    rowMode: "array",
    types: BIGINT_TYPES,
  });
  query.onRead?.(["raw"], result.rows.length);
  return result.rows;
}

function countsOf(rows: readonly Row[], index: number, buckets: number): Counts {
  const values = new Array<bigint>(buckets).fill(0n);
  let total = 0n;
  for (const [bucketNumber, ...counts] of rows) {
    if (bucketNumber === null) total = counts[index]!;
    else values[bucketNumber - 1] = counts[index]!;
  }
  return { values, total };
}
