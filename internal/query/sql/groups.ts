import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { type Group, type Plan, placeOf } from "../plan/plan.ts";
import type { BaseMetric } from "../schema/field.ts";
import { armsSql, keysOf } from "./arms.ts";
import { as } from "./rows.ts";

/** A value of each dimension but time; null: none. */
export type Tuple = readonly (string | number | null)[];

/** What rows of groups are told apart by, beside `span`, in the order of the statement's columns. */
export function groupNames({ question }: Plan, top: readonly Tuple[] | undefined): string[] {
  const names = question.dimensions.map(({ type }, index) => (type === "bucket" ? "bucket" : `d${index}`));
  return top === undefined ? names : [...names, "is_rest"];
}

/**
 * The numbers of a group, by span and dimensions, and over all of them (is_total).
 * @param top the only values of dimensions that are told apart; undefined: all.
 */
export function groupSql(plan: Plan, group: Group, top: readonly Tuple[] | undefined): Sql {
  const arms = sql`(${armsSql(plan, group)}) arms`;
  const from = top === undefined ? arms : topSql(plan, group, arms, top);
  const names = groupNames(plan, top);
  if (group.metrics[0]!.kind === "session_sum") return sessionSumsSql(plan, group, from, names);
  if (group.metrics.some(({ kind }) => kind === "distinct")) return distinctSql(plan, group, from, names);
  const numbers = join(group.metrics.map((metric) => as(numberSql(plan, metric), nameOf(plan, metric))));
  if (names.length === 0) return sql`SELECT true AS is_total, span, ${numbers} FROM ${from} GROUP BY span`;
  const list = raw(names.join(", "));
  return sql`SELECT grouping(${raw(names[0]!)}) = 1 AS is_total, span, ${list}, ${numbers}
    FROM ${from} GROUP BY GROUPING SETS ((span, ${list}), (span))`;
}

function nameOf(plan: Plan, metric: BaseMetric): string {
  return `m${placeOf(plan, metric)}`;
}

function numberSql(plan: Plan, metric: BaseMetric): Sql {
  const name = raw(nameOf(plan, metric));
  switch (metric.kind) {
    case "additive":
    case "session_sum":
      return sql`sum(${name})`;
    case "distinct":
      return sql`count(${raw(metric.of)})${metric.where === undefined ? empty : sql` FILTER (WHERE ${name})`}`;
    case "quantile":
      return sql`percentile_cont(${metric.quantile}::float8) WITHIN GROUP (ORDER BY ${name})`;
  }
}

/**
 * Counts of different keys, with the sums beside them. Each key is gathered once for each value of the dimensions, then
 * counted: both by hash tables, where count(DISTINCT) would sort all rows, for the values and for the totals again.
 */
function distinctSql(plan: Plan, group: Group, from: Sql, names: readonly string[]): Sql {
  const keys = keysOf(group).map((key, at) => keySql(plan, group, { key, at, names }));
  const ctes = [sql`rows AS (SELECT * FROM ${from})`, ...keys.flatMap(({ cte }) => cte)];
  const counts = keys.flatMap((key) => key.counts);
  return sql`WITH ${join(ctes, ", ")} ${join(counts, " UNION ALL ")}`;
}

interface KeyOf {
  readonly key: string;
  readonly at: number;
  readonly names: readonly string[];
}

/** Of one key: what it is gathered in, and the counts made of that. The sums are gathered with the first key. */
function keySql(plan: Plan, group: Group, { key, at, names }: KeyOf): { cte: Sql[]; counts: Sql[] } {
  const own = group.metrics.filter((metric) => (metric.kind === "distinct" ? metric.of === key : at === 0));
  const gathered = join([raw(key), ...own.flatMap((metric) => gatheredSql(plan, metric))]);
  const numbers = join(
    group.metrics.map((metric) =>
      as(own.includes(metric) ? numberSql(plan, metric) : raw("NULL::numeric"), nameOf(plan, metric)),
    ),
  );
  const list = raw(["span", ...names].join(", "));
  const nulls = raw(names.map((name) => `, NULL${typeOf(plan, name)} AS ${name}`).join(""));
  const cte = raw(names.length === 0 ? "rows" : `keys${at}`);
  const total = sql`SELECT true AS is_total, span${nulls}, ${numbers}
    FROM (SELECT span, ${gathered} FROM ${cte} GROUP BY span, ${raw(key)}) keys GROUP BY span`;
  if (names.length === 0) return { cte: [], counts: [total] };
  return {
    cte: [sql`${cte} AS (SELECT ${list}, ${gathered} FROM rows GROUP BY ${list}, ${raw(key)})`],
    counts: [total, sql`SELECT false, ${list}, ${numbers} FROM ${cte} GROUP BY ${list}`],
  };
}

/** What is kept of a key's rows: sums, and whether any lets the key count. */
function gatheredSql(plan: Plan, metric: BaseMetric): Sql[] {
  const name = nameOf(plan, metric);
  if (metric.kind === "distinct")
    return metric.where === undefined ? [] : [raw(`bool_or(${name}) AS ${name}`)];
  return [raw(`sum(${name}) AS ${name}`)];
}

/** Each session's measure once for each value of the dimensions, and once in all. */
function sessionSumsSql(plan: Plan, group: Group, from: Sql, names: readonly string[]): Sql {
  const ms = group.metrics.map((metric) => nameOf(plan, metric));
  const least = raw(ms.map((m) => `min(${m}) AS ${m}`).join(", "));
  const sums = raw(ms.map((m) => `sum(${m}) AS ${m}`).join(", "));
  const total = sql`SELECT true AS is_total, span${raw(names.map((name) => `, NULL${typeOf(plan, name)} AS ${name}`).join(""))}, ${sums}
    FROM (SELECT span, session_id, ${least} FROM ${from} GROUP BY span, session_id) sessions GROUP BY span`;
  if (names.length === 0) return total;
  const list = raw(names.join(", "));
  return sql`${total} UNION ALL
    SELECT false, span, ${list}, ${sums}
    FROM (SELECT span, ${list}, session_id, ${least} FROM ${from} GROUP BY span, ${list}, session_id) sessions
    GROUP BY span, ${list}`;
}

/** The cast of a null that stands for a column of groupNames. */
export function typeOf({ question }: Plan, name: string): string {
  if (name === "bucket") return "::integer";
  if (name === "is_rest") return "::boolean";
  return question.dimensions[Number(name.slice(1))]!.type === "number" ? "::float8" : "::text";
}

/** Rows whose values are not among the top ones have none, and is_rest. */
function topSql(plan: Plan, group: Group, arms: Sql, top: readonly Tuple[]): Sql {
  const names = groupNames(plan, undefined).filter((name) => name !== "bucket");
  const equals = (tuple: Tuple) =>
    join(
      names.map(
        (name, index) => sql`${raw(name)} IS NOT DISTINCT FROM ${tuple[index]}${raw(typeOf(plan, name))}`,
      ),
      " AND ",
    );
  const isTop = top.length === 0 ? sql`false` : sql`(${join(top.map(equals), " OR ")})`;
  const values = join(names.map((name) => sql`CASE WHEN is_top THEN ${raw(name)} END AS ${raw(name)}`));
  const kept = [
    "span",
    ...(groupNames(plan, undefined).includes("bucket") ? ["bucket"] : []),
    ...keptOf(plan, group),
  ];
  return sql`(SELECT ${raw(kept.join(", "))}, ${values}, NOT is_top AS is_rest
    FROM (SELECT *, ${isTop} AS is_top FROM ${arms}) ranked) arms`;
}

function keptOf(plan: Plan, group: Group): string[] {
  const measures = group.metrics.filter((metric) => metric.kind !== "distinct" || metric.where !== undefined);
  return [...keysOf(group), ...measures.map((metric) => nameOf(plan, metric))];
}
