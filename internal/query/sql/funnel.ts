import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { columnsOfHits, type FunnelPlan } from "../plan/funnel-plan.ts";
import type { Filter } from "../question/filter.ts";
import type { FunnelQuestion } from "../question/funnel.ts";
import type { Span } from "../question/question.ts";
import { filterContext } from "./context.ts";
import { factsSql } from "./facts.ts";
import { filterSql } from "./filter.ts";
import { anyOrderSql } from "./funnel-any.ts";
import { inOrderSql } from "./funnel-in-order.ts";
import { personsSql } from "./persons.ts";
import { as, instant, ofMerchant, ofSample } from "./rows.ts";
import { positionSql, valueSql } from "./values.ts";
import { firstTimesSql } from "./visitors.ts";

/** Of the seconds between two steps: median and 90th percentile, and around both what tells how steep the quantiles are. */
export const QUANTILES = [0.4, 0.5, 0.6, 0.85, 0.9, 0.95] as const;

/**
 * The statement of a funnel: a row for each value and bucket, and one for all (is_total), of each span. Columns: is_total,
 * span, place (of the value, from 1 on; 0 without a breakdown), d0, bucket (-1 without time), then of each step n1 and on
 * (visitors), v1 and on (revenue, micros), w1 and on (its squares), q1 and on (QUANTILES of the seconds since the step
 * before); last unconverted, orders and refunds of the first span that are in no revenue.
 */
export function funnelSql(plan: FunnelPlan): Sql {
  const { question, reach, facts, visitors } = plan;
  const ctes = [
    ...personsSql(reach),
    ...(facts === undefined ? [] : [sql`facts AS (${factsSql(reach, facts)})`]),
    ...(visitors ? firstTimesSql(reach) : []),
    sql`hits AS MATERIALIZED (${join(
      question.spans.map((_, at) => hitsSql(plan, at)),
      " UNION ALL ",
    )})`,
    ...(question.breakdown === undefined ? [] : [sql`top AS (${topSql(plan)})`]),
    sql`ways AS (${waysSql(plan)})`,
    sql`visits AS (${question.order === "any" ? anyOrderSql(question) : inOrderSql(question)})`,
  ];
  const steps = question.steps.map((_, at) => at + 1);
  const numbers = steps.flatMap((n) => [
    `count(*) FILTER (WHERE r${n}) AS n${n}`,
    `coalesce(sum(v${n}) FILTER (WHERE r${n}), 0) AS v${n}`,
    `coalesce(sum(v${n}::float8 ^ 2) FILTER (WHERE r${n}), 0) AS w${n}`,
    `percentile_cont(ARRAY[${QUANTILES}]::float8[]) WITHIN GROUP (ORDER BY t${n}) AS q${n}`,
  ]);
  return sql`WITH ${join(ctes, ",\n")}
    SELECT is_total, span, place, d0, bucket, ${raw(numbers.join(", "))},
      (SELECT count(*) FROM hits WHERE span = 0 AND is_unconverted) AS unconverted
    FROM visits GROUP BY is_total, span, place, d0, bucket`;
}

/** What ways are told apart by: a visitor, or its session, for each span, value and bucket of entry. As few as will do. */
export function wayKey({ windowMs, spans, breakdown }: FunnelQuestion): string {
  const hasTime = spans[0].edges !== undefined;
  return [
    ...(windowMs === undefined ? ["session_id"] : []),
    "id",
    ...(spans.length > 1 ? ["span"] : []),
    ...(breakdown !== undefined || hasTime ? ["is_total"] : []),
    ...(breakdown === undefined ? [] : ["place"]),
    ...(hasTime ? ["bucket"] : []),
  ].join(", ");
}

/** Events of a span's reach that do a step: who, when, which steps (b1 and on), what is excluded before them (x2 and on). */
function hitsSql({ question, reach, factor }: FunnelPlan, at: number): Sql {
  const span = question.spans[at]!;
  const context = filterContext(reach, at, { time: sql`ts`, factor, isItem: false });
  const markSql = (filter: Filter, name: string) =>
    as(sql`coalesce(${filterSql(filter, context)}, false)`, name);
  const marks = question.steps.flatMap(({ event, excluded }, step) => [
    markSql(event, `b${step + 1}`),
    ...(excluded.length === 0 ? [] : [markSql({ kind: "any", of: excluded }, `x${step + 1}`)]),
  ]);
  const { breakdown, filter } = question;
  const value = breakdown === undefined ? sql`NULL::text` : valueSql(breakdown, context);
  const only = filter === undefined ? empty : sql` WHERE ${filterSql(filter, context)}`;
  return sql`SELECT *, ts < ${instant(span.end)} AND (${raw(entryOf(question))}) AS is_entry FROM (
      SELECT ${raw(String(at))} AS span, ${context.who.id} AS id, session_id, ts, event_id, revenue_micros,
        order_kind IN (1, 3) AND revenue_micros IS NULL AS is_unconverted, ${value} AS d0, ${bucketSql(span)} AS bucket, ${join(marks)}
      FROM (SELECT * FROM events WHERE ${ofMerchant(reach, "ts", { from: span.start, to: reach.spans[at]!.end })}${ofSample(factor)}) rows
      ${context.who.join}${context.wholes(columnsOfHits(question))}${only}
    ) rows${question.order === "strict" ? empty : sql` WHERE ${raw(marksOf(question).join(" OR "))}`}`;
}

/** The columns of a hit that tell what it does: b1 and on, and x2 and on where something is excluded. */
function marksOf({ steps }: FunnelQuestion): string[] {
  return steps.flatMap(({ excluded }, at) => [`b${at + 1}`, ...(excluded.length > 0 ? [`x${at + 1}`] : [])]);
}

/** With which steps a funnel is entered. */
function entryOf({ order, steps }: FunnelQuestion): string {
  return order === "any" ? steps.map((_, step) => `b${step + 1}`).join(" OR ") : "b1";
}

/** The bucket of entry; -1: the event is behind the span. */
function bucketSql({ end, edges, positions }: Span): Sql {
  if (edges === undefined) return sql`-1`;
  return sql`CASE WHEN ts < ${instant(end)} THEN ${positionSql({ edges, positions }, "ts")} ELSE -1 END`;
}

/** The values that most visitors of the first span enter with; that of those without one comes last. */
function topSql({ question: { topValues, breakdown } }: FunnelPlan): Sql {
  const text = breakdown!.type === "text" ? raw(' COLLATE "C"') : empty;
  return sql`SELECT d0, row_number() OVER (ORDER BY d0 IS NULL, visitors DESC, d0${text}) AS place
    FROM (SELECT d0, count(DISTINCT id) AS visitors FROM hits WHERE span = 0 AND is_entry GROUP BY d0) entered
    ORDER BY place LIMIT ${topValues}::bigint`;
}

/** The hits of all together, and once more for each value and bucket of entry of the same visitor, or session. */
function waysSql({ question }: FunnelPlan): Sql {
  const { breakdown, windowMs, spans } = question;
  const columns = ["session_id", "ts", "event_id", "revenue_micros", ...marksOf(question)];
  const hit = raw(columns.map((name) => `hits.${name}`).join(", "));
  const type = breakdown?.type === "number" ? "float8" : "text";
  const all = sql`SELECT true AS is_total, hits.span, 0::bigint AS place, NULL::${raw(type)} AS d0, -1 AS bucket, hits.id, ${hit}, is_entry
    FROM hits`;
  const hasTime = spans[0].edges !== undefined;
  if (breakdown === undefined && !hasTime) return all;
  const key = raw(windowMs === undefined ? "span, id, session_id" : "span, id");
  const place = breakdown === undefined ? sql`0::bigint` : sql`top.place`;
  const top = breakdown === undefined ? empty : sql` JOIN top ON top.d0 IS NOT DISTINCT FROM hits.d0`;
  return sql`${all} UNION ALL
    SELECT false, hits.span, entries.place, entries.d0, entries.bucket, hits.id, ${hit},
      is_entry AND hits.d0 IS NOT DISTINCT FROM entries.d0 AND hits.bucket IS NOT DISTINCT FROM entries.bucket
    FROM hits JOIN (
      SELECT DISTINCT ${key}, ${place} AS place, hits.d0, bucket FROM hits${top} WHERE is_entry
    ) entries USING (${key})`;
}
