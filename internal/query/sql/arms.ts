import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import type { Part } from "../plan/cover.ts";
import { columnsOf as columnsOfFilter } from "../plan/filter-columns.ts";
import { columnsOfGroup, type Group, type Plan, placeOf } from "../plan/plan.ts";
import { SAMPLE } from "../plan/sources.ts";
import type { Span } from "../question/question.ts";
import type { BaseMetric, DistinctMetric, RowContext } from "../schema/field.ts";
import { type FilterContext, filterContext } from "./context.ts";
import { presenceAt } from "./facts.ts";
import { filterSql } from "./filter.ts";
import { relationSql } from "./relations.ts";
import { as, ofMerchant, ofSample } from "./rows.ts";
import { positionSql, valueSql } from "./values.ts";

/** One part of what a group counts from, in one span. */
interface Arm {
  readonly plan: Plan;
  readonly group: Group;
  /** The span's place. */
  readonly at: number;
  readonly part: Part;
}

/**
 * What a group counts from: rows of `span`, `bucket` (with the dimension time: the position), dimensions d0 and on, the
 * keys of what is counted once, and m0 and on by the metrics' places among the plan's bases: sums, whether a row lets its
 * key count, or values.
 */
export function armsSql(plan: Plan, group: Group): Sql {
  if (group.relation === "sessions") return sessionsSql(plan, group);
  const arms = group.parts.flatMap((parts, at) => parts.map((part) => armSql({ plan, group, at, part })));
  return join(arms, "\nUNION ALL\n");
}

/** Whole sessions, of which facts have one row each. */
function sessionsSql(plan: Plan, group: Group): Sql {
  const { filter, spans } = plan.question;
  const arms = spans.map((_, at) => {
    const context = contextOf(plan, group, at, sql`session_first_time`);
    const measures = group.metrics.flatMap((metric) => {
      const value = wholeValueOf(metric, context);
      return value === undefined ? [] : [as(value, numberNameOf(plan, metric))];
    });
    const columns = [
      sql`${raw(String(at))} AS span`,
      ...dimensionsOf(plan, context),
      raw("session_id"),
      ...measures,
    ];
    const only = filter === undefined ? empty : sql` AND ${filterSql(filter, context)}`;
    return sql`SELECT ${join(columns)} FROM facts WHERE ${raw(presenceAt(at))}${only}`;
  });
  return join(arms, "\nUNION ALL\n");
}

/** What a whole session counts for; undefined: it counts. */
function wholeValueOf(metric: BaseMetric, context: RowContext): Sql | undefined {
  if (metric.kind === "session_sum") return metric.measure.sql;
  return metric.kind === "distinct" ? conditionOf(metric, true, context) : undefined;
}

/** The column of a metric's number in rows of arms and groups. */
export function numberNameOf(plan: Plan, metric: BaseMetric): string {
  return `m${placeOf(plan, metric)}`;
}

/** The keys that a group's metrics count once. */
export function keysOf({ metrics, factor }: Group): string[] {
  if (factor !== undefined) return ["visitor_id", "session_id"];
  const keys = metrics.flatMap((metric) => {
    if (metric.kind === "distinct") return [metric.of];
    return metric.kind === "session_sum" ? ["session_id"] : [];
  });
  return [...new Set(keys)];
}

function armSql(arm: Arm): Sql {
  const { plan, group, at, part } = arm;
  const { question } = plan;
  const span = question.spans[at]!;
  const isRows = part.unit === "rows";
  const time = isRows ? "ts" : "bucket";
  const context = contextOf(plan, group, at, sql`${raw(time)}`);
  const groups = [
    ...bucketOf(span, time),
    ...dimensionsOf(plan, context),
    ...keysOf(group).map((key) => (key === "visitor_id" ? as(context.who.id, key) : raw(key))),
  ];
  const measures = group.metrics.flatMap((metric) => measureOf(arm, metric, context));
  const from = isRows
    ? relationSql(group, question, part)
    : sql`(SELECT * FROM ${raw(group.source!.tables[part.unit as "day"]!)} WHERE ${ofMerchant(question, time, part)}${ofCells(group)}) cells`;
  const filter = question.filter === undefined ? empty : sql` WHERE ${filterSql(question.filter, context)}`;
  const isGrouped = isRows && group.metrics[0]!.kind !== "quantile" && groups.length > 0;
  const grouping = isGrouped
    ? sql` GROUP BY ${join(groups.map((_, index) => raw(String(index + 2))))}`
    : empty;
  return sql`SELECT ${raw(String(at))} AS span${join([...groups, ...measures], ", ", ", ", "")}
    FROM ${from}${joinsSql(arm, context)}${filter}${grouping}`;
}

/** Condition on the rows of an aggregate: those of the group's sample. */
function ofCells({ source, factor }: Group): Sql {
  // Segments of the columnstore are told apart by the factor.
  return source === SAMPLE ? sql` AND factor >= ${raw(String(factor))}` : ofSample(factor);
}

/** The position of the bucket that a time is in. */
function bucketOf(span: Span, time: string): Sql[] {
  return span.edges === undefined ? [] : [as(positionSql({ ...span, edges: span.edges }, time), "bucket")];
}

function dimensionsOf(plan: Plan, context: RowContext): Sql[] {
  return plan.question.dimensions.flatMap((dimension, index) =>
    dimension.type === "bucket" ? [] : [as(valueSql(dimension, context), `d${index}`)],
  );
}

function measureOf({ plan, part }: Arm, metric: BaseMetric, context: RowContext): Sql[] {
  const name = numberNameOf(plan, metric);
  const isRows = part.unit === "rows";
  switch (metric.kind) {
    case "additive":
      if (isRows) return [as(part.sign === 1 ? metric.rows : sql`- ${metric.rows}`, name)];
      return [raw(`${part.sign === 1 ? "" : "- "}${metric.cell} AS ${name}`)];
    case "distinct": {
      const condition = conditionOf(metric, isRows, context);
      if (condition === undefined) return [];
      return [as(isRows ? sql`bool_or(${condition})` : condition, name)];
    }
    case "session_sum":
      return [as(isRows ? sql`min(${metric.measure.sql})` : metric.measure.sql, name)];
    case "quantile":
      return [as(metric.value, name)];
  }
}

function conditionOf({ where }: DistinctMetric, isRows: boolean, context: RowContext): Sql | undefined {
  if (where === undefined) return undefined;
  const ofRow = isRows || where.cell === undefined ? where.sql(context) : sql`${raw(where.cell)} > 0`;
  return where.whole === undefined ? ofRow : sql`(${ofRow}) AND ${where.whole.sql}`;
}

/** Joins that tell who the rows' visitors are, where that matters, and of their whole sessions and visitors. */
function joinsSql({ plan: { question }, group }: Arm, { who, wholes: of }: FilterContext): Sql {
  const wholes = of(columnsOfGroup(question, group));
  const isAsked = [
    ...keysOf(group),
    ...(question.filter === undefined ? [] : columnsOfFilter(question.filter)),
  ].includes("visitor_id");
  return isAsked ? sql`${who.join}${wholes}` : wholes;
}

function contextOf({ question }: Plan, { relation, factor }: Group, at: number, time: Sql): FilterContext {
  return filterContext(question, at, { time, factor, isItem: relation === "items" });
}
