import sql, { join, raw, type Sql } from "sql-template-tag";
import type { Goal } from "../../store/goals.ts";
import { matchesWildcard } from "../sql/wildcard.ts";
import type { AdditiveMetric, Dimension, DistinctMetric, Metric } from "./field.ts";
import { visitors } from "./metrics/traffic.ts";

const GOAL_METRICS = ["conversions", "visitors", "conversion_rate", "value"] as const;

type GoalMetric = (typeof GOAL_METRICS)[number];

/** The dimension `goal`: the names of the goals that an event reaches. */
export function goalDimension(goals: readonly Goal[]): Dimension {
  const names = goals.map((goal) => sql`CASE WHEN ${reaches(goal)} THEN ${goal.name}::text END`);
  const list = names.length === 0 ? sql`'{}'::text[]` : sql`array_remove(ARRAY[${join(names)}], NULL)`;
  return {
    kind: "dimension",
    name: "goal",
    title: "Goal",
    description: "Name of a goal that the event reaches; one that reaches several counts under each.",
    scope: "event",
    type: "text",
    filterable: true,
    groupable: true,
    columns: columnsOf(goals),
    sql: () => list,
    isMany: true,
  };
}

/** The metrics of all goals: "goal:ID:conversions" and its like. */
export function goalMetrics(goals: readonly Goal[]): Metric[] {
  return goals.flatMap((goal) => {
    const visitors = visitorsOf(goal);
    return [conversions(goal), visitors, conversionRate(goal, visitors), value(goal)];
  });
}

function conversions(goal: Goal): AdditiveMetric {
  return {
    ...about(goal, "conversions", "Events that reach the goal."),
    kind: "additive",
    unit: "count",
    relation: "events",
    columns: columnsOf([goal]),
    rows: sql`count(*) FILTER (WHERE ${reaches(goal)})`,
  };
}

function visitorsOf(goal: Goal): DistinctMetric {
  return {
    ...about(goal, "visitors", "Visitors who reach the goal."),
    kind: "distinct",
    unit: "count",
    relation: "events",
    of: "visitor_id",
    where: { columns: columnsOf([goal]), sql: () => reaches(goal) },
  };
}

function conversionRate(goal: Goal, numerator: DistinctMetric): Metric {
  return {
    ...about(goal, "conversion_rate", "Visitors who reach the goal, by all visitors."),
    kind: "ratio",
    unit: "ratio",
    numerator,
    denominator: visitors,
    factor: 1,
  };
}

/** The goal's own value for each event that reaches it, or that event's revenue. */
function value(goal: Goal): AdditiveMetric {
  const { valueMicros } = goal;
  const micros = valueMicros === undefined ? sql`revenue_micros` : sql`${String(valueMicros)}::bigint`;
  const revenue = valueMicros === undefined ? ["revenue_micros"] : [];
  return {
    ...about(goal, "value", "What reaching the goal is worth: its value, or else the events' revenue."),
    kind: "additive",
    unit: "currency",
    relation: "events",
    columns: [...columnsOf([goal]), ...revenue],
    rows: sql`sum(CASE WHEN ${reaches(goal)} THEN ${micros} END)`,
  };
}

function about({ goalId, name }: Goal, what: GoalMetric, description: string) {
  return {
    name: `goal:${goalId}:${what}`,
    title: `${name}, ${what.replace("_", " ")}`,
    description,
    scope: what === "visitors" || what === "conversion_rate" ? "visitor" : "event",
  } as const;
}

/** Never null: an event without a page does not match. */
function reaches({ eventName, pagePattern }: Goal): Sql {
  const conditions = [
    ...(eventName === undefined ? [] : [sql`name = ${eventName}::text`]),
    ...(pagePattern === undefined
      ? []
      : [sql`coalesce(${matchesWildcard(raw("page"), pagePattern)}, false)`]),
  ];
  return sql`(${join(conditions, " AND ")})`;
}

function columnsOf(goals: readonly Goal[]): string[] {
  return [
    ...(goals.some(({ eventName }) => eventName !== undefined) ? ["name"] : []),
    ...(goals.some(({ pagePattern }) => pagePattern !== undefined) ? ["page"] : []),
  ];
}
