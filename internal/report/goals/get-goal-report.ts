import { partitionOf } from "../../event/partition.ts";
import { readWithRetry } from "../../query/run/read-with-retry.ts";
import { type Counts, type GoalCounts, readGoalReport } from "../../store/goals/read-goal-report.ts";
import type { Goal } from "../../store/goals.ts";
import { readLimitsOf } from "../../store/snapshot.ts";
import { DIMENSIONS } from "../dimensions/registry.ts";
import { InvalidInput } from "../errors.ts";
import type { GetReportDeps, Merchant, Report, ReportRequest } from "../get-report.ts";
import { METRICS } from "../metrics/registry.ts";
import { firstRepeated } from "../repeated.ts";
import { bucketEdges } from "../time/edges.ts";
import { spanOf } from "../time/range.ts";
import { timeZoneNamed } from "../time/zone.ts";
import { merchantGoals } from "./list-goals.ts";

export interface GoalReportRequest
  extends Pick<ReportRequest, "range" | "timeZone" | "granularity" | "includeBots"> {
  /** Default, also when empty: all of the merchant's goals. */
  readonly goalIds?: readonly number[] | undefined;
}

/** What was reached of one goal. */
export interface GoalResult {
  readonly goal: Goal;
  /** Events that reached it. */
  readonly conversions: Counts;
  /** Different visitors of those events; who is in two buckets counts once in the total. */
  readonly visitors: Counts;
  /** Micros of the merchant's currency. */
  readonly valueMicros: Counts;
  /** Orders and refunds of those events whose amount is not in the value; 0 where the goal has a value of its own. */
  readonly unconvertedOrders: bigint;
}

export interface GoalReport extends Omit<Report, "series" | "unconvertedOrders"> {
  /** All different visitors, whether they reached a goal or not: what conversion rates are of. */
  readonly visitors: Counts;
  /** In the order asked for, or by id. */
  readonly results: readonly GoalResult[];
}

/** Most numbers of a kind in one answer: goals times buckets. */
const MAX_CELLS = 100_000;

/**
 * What a merchant's events reached of its goals over time, counted exactly from the events: those from before a goal
 * was made count too.
 *
 * @throws InvalidInput naming the field; Failure "unavailable" when the database is away, "precondition" when the
 * statement took longer than it may.
 */
export async function getGoalReport(
  deps: GetReportDeps,
  merchant: Merchant,
  request: GoalReportRequest,
): Promise<GoalReport> {
  const { granularity = "day", includeBots } = request;
  const { merchantId, currency } = merchant;
  const timeZone = timeZoneNamed(request.timeZone ?? merchant.timeZone);
  const edges = bucketEdges(spanOf(request.range, timeZone), timeZone, granularity);
  // A goal never changes: that it is read before the snapshot begins makes no difference.
  const goals = askedFor(await merchantGoals(deps, merchant), request.goalIds);
  const buckets = edges.length - 1;
  if (buckets * goals.length > MAX_CELLS) {
    const problem = `makes ${buckets} buckets for each of ${goals.length} goals, more than ${MAX_CELLS} in all`;
    throw new InvalidInput("granularity", granularity, problem);
  }
  const query = {
    merchantId,
    partitionId: partitionOf(merchantId, deps.partitions),
    edges,
    goals,
    page: DIMENSIONS.page.value,
    revenue: METRICS.revenue.events,
    unconverted: METRICS.unconverted_orders.events,
    includeBots,
    ...readLimitsOf(deps),
  };
  const { goals: counts, ...rest } = await readWithRetry(deps, () => readGoalReport(deps.pool, query));
  const results = goals.map((goal, index) => resultOf(goal, counts[index]!));
  return { merchantId, timeZone, granularity, currency, edges, results, ...rest };
}

/** @throws InvalidInput on "goal_ids": the same for another merchant's goal as for one that never was. */
function askedFor(goals: readonly Goal[], ids: readonly number[] = []): readonly Goal[] {
  if (ids.length === 0) return goals;
  const twice = firstRepeated(ids);
  if (twice !== undefined) throw new InvalidInput("goal_ids", twice, "is asked for twice");
  const byId = new Map(goals.map((goal) => [goal.goalId, goal]));
  return ids.map((id) => {
    const goal = byId.get(id);
    if (goal === undefined) throw new InvalidInput("goal_ids", id, "is no goal of the merchant");
    return goal;
  });
}

function resultOf(goal: Goal, { conversions, visitors, revenue, unconverted }: GoalCounts): GoalResult {
  const { valueMicros: each } = goal;
  if (each === undefined) {
    return { goal, conversions, visitors, valueMicros: revenue, unconvertedOrders: unconverted.total };
  }
  const valueMicros = { values: conversions.values.map((n) => n * each), total: conversions.total * each };
  return { goal, conversions, visitors, valueMicros, unconvertedOrders: 0n };
}
