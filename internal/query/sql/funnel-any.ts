import sql, { raw, type Sql } from "sql-template-tag";
import type { FunnelQuestion } from "../question/funnel.ts";
import { wayKey } from "./funnel.ts";

/**
 * As inOrderSql, of steps in any order: step i is done with the event by which so many different ones are. A way begins
 * with the first event of entry within the window before.
 */
export function anyOrderSql(question: FunnelQuestion): Sql {
  const steps = question.steps.map((_, at) => at + 1);
  const key = wayKey(question);
  const before = `OVER (PARTITION BY ${key} ORDER BY ts, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`;
  const last = steps.map((n) => `max(CASE WHEN b${n} THEN ts END) ${before} AS a${n}`).join(", ");
  const frame =
    question.windowMs === undefined
      ? sql`UNBOUNDED PRECEDING`
      : sql`${question.windowMs}::float8 * INTERVAL '1 millisecond' PRECEDING`;
  const rows = sql`SELECT *, ${raw(last)},
      min(CASE WHEN is_entry THEN ts END) OVER (PARTITION BY ${raw(key)} ORDER BY ts RANGE BETWEEN ${frame} AND CURRENT ROW) AS begun
    FROM ways`;
  const done = steps.map((n) => `(b${n} OR coalesce(a${n} >= begun, false))::integer`).join(" + ");
  const isNew = steps.map((n) => `(b${n} AND (a${n} >= begun) IS NOT TRUE)`).join(" OR ");
  const newest = steps.map((n) => `CASE WHEN a${n} >= begun THEN a${n} END`).join(", ");
  const counted = `SELECT *, CASE WHEN begun IS NOT NULL THEN ${done} END AS done, ${isNew} AS is_new,
      extract(epoch FROM ts - greatest(${newest}))::float8 AS since`;
  const numbers = steps.map(
    (n) => `coalesce(bool_or(done >= ${n}), false) AS r${n},
      sum(revenue_micros) FILTER (WHERE done = ${n} AND is_new) AS v${n},
      min(since) FILTER (WHERE done = ${n} AND is_new) AS t${n}`,
  );
  return sql`SELECT is_total, span, place, d0, bucket, id, ${raw(numbers.join(", "))}
    FROM (${raw(counted)} FROM (${rows}) rows) counted
    GROUP BY is_total, span, place, d0, bucket, id`;
}
