import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import type { Group, Plan } from "../plan/plan.ts";
import type { BaseMetric } from "../schema/field.ts";
import { armsSql, keysOf, numberNameOf } from "./arms.ts";
import { as } from "./rows.ts";
import { sampledSql } from "./sampled.ts";

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
  const isExact = group.factor === undefined;
  // Of whole sessions each is in one row: nothing is there to be counted once.
  const isOnce = group.relation === "sessions";
  const hasKeys = group.metrics.some(({ kind }) => kind === "distinct");
  if (isExact && !isOnce && hasKeys) return distinctSql(plan, group, top);
  const from = apartSql(plan, group, sql`(${armsSql(plan, group)}) arms`, top);
  const names = groupNames(plan, top);
  if (!isExact) return sampledSql(plan, group, from, names);
  if (!isOnce && group.metrics[0]!.kind === "session_sum") return sessionSumsSql(plan, group, from, names);
  const numbersSql = (isTotal?: Sql) =>
    join(group.metrics.map((metric) => as(numberSql(plan, metric, isTotal), numberNameOf(plan, metric))));
  if (names.length === 0)
    return sql`SELECT true AS is_total, span, ${numbersSql()} FROM ${from} GROUP BY span`;
  const isTotal = sql`grouping(${raw(names[0]!)}) = 1`;
  const list = raw(names.join(", "));
  return sql`SELECT ${isTotal} AS is_total, span, ${list}, ${numbersSql(isTotal)}
    FROM ${from} GROUP BY GROUPING SETS ((span, ${list}), (span))`;
}

/** @param isTotal whether a row is that of the totals, in which rows of many values count once; undefined: they do not. */
function numberSql(plan: Plan, metric: BaseMetric, isTotal?: Sql): Sql {
  const name = raw(numberNameOf(plan, metric));
  if (metric.kind === "distinct") {
    return sql`count(${raw(metric.of)})${metric.where === undefined ? empty : sql` FILTER (WHERE ${name})`}`;
  }
  const number =
    metric.kind === "quantile"
      ? sql`percentile_cont(${metric.quantile}::float8) WITHIN GROUP (ORDER BY ${name})`
      : sql`sum(${name})`;
  if (isTotal === undefined || manyNames(plan).length === 0) return number;
  return sql`CASE WHEN ${isTotal} THEN ${number} FILTER (WHERE is_first) ELSE ${number} END`;
}

/**
 * Counts of different keys, with the sums beside them. Each key is gathered once for each value of the dimensions, then
 * counted: both by hash tables, where count(DISTINCT) would sort all rows, for the values and for the totals again. Keys
 * are read one by one: reading the columnstore twice takes less than keeping what was read.
 */
function distinctSql(plan: Plan, group: Group, top: readonly Tuple[] | undefined): Sql {
  const keys = keysOf(group).map((key, at) => {
    // The sums are gathered with the first key.
    const own = group.metrics.filter((metric) => (metric.kind === "distinct" ? metric.of === key : at === 0));
    return keySql(plan, group, { key, at, own: { ...group, metrics: own }, top });
  });
  const ctes = keys.flatMap(({ cte }) => cte);
  const counts = join(
    keys.flatMap((key) => key.counts),
    " UNION ALL ",
  );
  return ctes.length === 0 ? counts : sql`WITH ${join(ctes, ", ")} ${counts}`;
}

interface KeyOf {
  readonly key: string;
  /** Its place among the group's keys. */
  readonly at: number;
  /** The group with the metrics alone that are made of this key. */
  readonly own: Group;
  readonly top: readonly Tuple[] | undefined;
}

/** Of one key: what it is gathered in, and the counts made of that. */
function keySql(plan: Plan, group: Group, { key, at, own, top }: KeyOf): { cte: Sql[]; counts: Sql[] } {
  const names = groupNames(plan, top);
  const numbers = join(
    group.metrics.map((metric) =>
      as(
        own.metrics.includes(metric) ? numberSql(plan, metric) : raw("NULL::numeric"),
        numberNameOf(plan, metric),
      ),
    ),
  );
  const list = raw(["span", ...names].join(", "));
  const nulls = raw(names.map((name) => `, NULL${typeOf(plan, name)} AS ${name}`).join(""));
  const gatheredBy = (by: Sql, from: Sql, what: From) =>
    sql`SELECT ${by}, ${join([raw(key), ...own.metrics.flatMap((metric) => gatheredSql(plan, metric, what))])}
      FROM ${from} GROUP BY ${by}, ${raw(key)}`;
  const arms = armsSql(plan, own);
  const rows = apartSql(plan, own, sql`(${arms}) arms`, top);
  const isGathered = top === undefined && manyNames(plan).length === 0 && isOneArm(group);
  const gathered = isGathered ? arms : gatheredBy(list, rows, "rows");
  const totalOf = (from: Sql) =>
    sql`SELECT true AS is_total, span${nulls}, ${numbers} FROM (${from}) keys GROUP BY span`;
  if (names.length === 0) return { cte: [], counts: [totalOf(gathered)] };
  const cte = raw(`keys${at}`);
  const total = totalOf(gatheredBy(raw("span"), cte, "keys"));
  return {
    cte: [sql`${cte} AS (${gathered})`],
    counts: [total, sql`SELECT false, ${list}, ${numbers} FROM ${cte} GROUP BY ${list}`],
  };
}

/** Whether each span is of rows alone: its one arm has each key once for each value already. */
function isOneArm({ parts }: Group): boolean {
  return parts.every((ofSpan) => ofSpan.length === 1 && ofSpan[0]!.unit === "rows");
}

/** What is gathered: rows, or what was gathered by the values of dimensions. */
type From = "rows" | "keys";

/** What is kept of a key's rows: sums, and whether any lets the key count. Sums of rows of many values once, for totals. */
function gatheredSql(plan: Plan, metric: BaseMetric, from: From): Sql[] {
  const name = numberNameOf(plan, metric);
  if (metric.kind === "distinct")
    return metric.where === undefined ? [] : [raw(`bool_or(${name}) AS ${name}`)];
  if (manyNames(plan).length === 0) return [raw(`sum(${name}) AS ${name}`)];
  if (from === "keys") return [raw(`sum(${name}_once) AS ${name}`)];
  return [raw(`sum(${name}) AS ${name}`), raw(`sum(${name}) FILTER (WHERE is_first) AS ${name}_once`)];
}

/** Each session's measure once for each value of the dimensions, and once in all. */
function sessionSumsSql(plan: Plan, group: Group, from: Sql, names: readonly string[]): Sql {
  const ms = group.metrics.map((metric) => numberNameOf(plan, metric));
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

/** The arms by the values that are told apart: of a row that has many, a row for each, of which one is_first. */
function apartSql(plan: Plan, group: Group, arms: Sql, top: readonly Tuple[] | undefined): Sql {
  const many = manyNames(plan);
  if (many.length === 0)
    return top === undefined ? arms : sql`(${topSql(plan, keptOf(plan, group), arms, top)}) arms`;
  const values = valueNames(plan).map((name) =>
    raw(`${many.includes(name) ? "many_" : "arms."}${name} AS ${name}`),
  );
  const each = many.map((name) => raw(`unnest(arms.${name}) AS of_${name} (many_${name})`));
  const rows = sql`(SELECT ${join(values)} FROM ${join(each)}) rows`;
  // What is in the rest by several values is in it once.
  const told =
    top === undefined ? rows : sql`(SELECT DISTINCT * FROM (${topSql(plan, [], rows, top)}) ranked) rows`;
  const kept = keptOf(plan, group).map((name) => raw(`arms.${name}`));
  return sql`(SELECT ${join(kept)}, told.* FROM ${arms}
    CROSS JOIN LATERAL (SELECT rows.*, row_number() OVER () = 1 AS is_first FROM ${told}) told) arms`;
}

/** The dimensions but time. */
function valueNames(plan: Plan): string[] {
  return groupNames(plan, undefined).filter((name) => name !== "bucket");
}

function manyNames({ question }: Plan): string[] {
  return question.dimensions.flatMap(({ isMany }, index) => (isMany ? [`d${index}`] : []));
}

/** Rows whose values are not among the top ones have none, and is_rest. @param kept columns beside the values. */
function topSql(plan: Plan, kept: readonly string[], from: Sql, top: readonly Tuple[]): Sql {
  const names = valueNames(plan);
  const equals = (tuple: Tuple) =>
    join(
      names.map(
        (name, index) => sql`${raw(name)} IS NOT DISTINCT FROM ${tuple[index]}${raw(typeOf(plan, name))}`,
      ),
      " AND ",
    );
  const isTop = top.length === 0 ? sql`false` : sql`(${join(top.map(equals), " OR ")})`;
  const values = names.map((name) => sql`CASE WHEN is_top THEN ${raw(name)} END AS ${raw(name)}`);
  const columns = join([...kept.map((name) => raw(name)), ...values, raw("NOT is_top AS is_rest")]);
  return sql`SELECT ${columns} FROM (SELECT *, ${isTop} AS is_top FROM ${from}) ranked`;
}

/** The columns of arms but the values. */
function keptOf(plan: Plan, group: Group): string[] {
  const measures = group.metrics.filter((metric) => metric.kind !== "distinct" || metric.where !== undefined);
  const bucket = groupNames(plan, undefined).filter((name) => name === "bucket");
  return ["span", ...bucket, ...keysOf(group), ...measures.map((metric) => numberNameOf(plan, metric))];
}
