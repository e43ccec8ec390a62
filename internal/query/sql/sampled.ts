import sql, { join, raw, type Sql } from "sql-template-tag";
import type { Group, Plan } from "../plan/plan.ts";
import type { BaseMetric } from "../schema/field.ts";
import { numberNameOf } from "./arms.ts";

/**
 * The estimates of a group, by span and names, and over all of them (is_total): m0 and on, what a sampled visitor counts
 * for, added up and multiplied by the factor, which is the Horvitz-Thompson estimator (D. G. Horvitz and D. J. Thompson: A
 * generalization of sampling without replacement from a finite universe, 1952); and p0 and on, the plan's products, added
 * up over the sampled visitors as they are.
 * @param from rows of arms with visitor_id and session_id. A session of two visitors is one of each.
 */
export function sampledSql(plan: Plan, group: Group, from: Sql, names: readonly string[]): Sql {
  const list = ["span", ...names].join(", ");
  const isTotal = names.length === 0 ? "true" : `grouping(${names[0]}) = 1`;
  const sessions = sql`SELECT ${raw(isTotal)} AS is_total, ${raw(list)}, visitor_id, session_id${raw(
    group.metrics.map((metric) => sessionSql(plan, metric)).join(""),
  )}
    FROM ${from}
    GROUP BY GROUPING SETS (${raw(names.length === 0 ? "" : `(${list}, visitor_id, session_id), `)}(span, visitor_id, session_id))`;
  const visitors = sql`SELECT is_total, ${raw(list)}${raw(
    group.metrics
      .map((metric) => `, ${visitorSql(metric, numberNameOf(plan, metric))} AS ${numberNameOf(plan, metric)}`)
      .join(""),
  )}
    FROM (${sessions}) sessions GROUP BY is_total, ${raw(list)}, visitor_id`;
  const estimates = group.metrics.map((metric) =>
    raw(`sum(${numberNameOf(plan, metric)}) * ${group.factor} AS ${numberNameOf(plan, metric)}`),
  );
  const products = plan.products.map(([one, other], index) =>
    raw(`sum(${numberNameOf(plan, one)}::float8 * ${numberNameOf(plan, other)}::float8) AS p${index}`),
  );
  return sql`SELECT is_total, ${raw(list)}, ${join([...estimates, ...products])}
    FROM (${visitors}) visitors GROUP BY is_total, ${raw(list)}`;
}

/** What is kept of a session: whether it lets its key count, or its measure. */
function sessionSql(plan: Plan, metric: BaseMetric): string {
  const name = numberNameOf(plan, metric);
  if (metric.kind === "session_sum") return `, min(${name}) AS ${name}`;
  return metric.kind === "distinct" && metric.where !== undefined ? `, bool_or(${name}) AS ${name}` : "";
}

/** What a visitor counts for, over its sessions. */
function visitorSql(metric: BaseMetric, name: string): string {
  if (metric.kind === "session_sum") return `coalesce(sum(${name}), 0)`;
  if (metric.kind !== "distinct") throw new TypeError(`${metric.name} is not estimated`);
  if (metric.of === "session_id")
    return metric.where === undefined ? "count(*)" : `count(*) FILTER (WHERE ${name})`;
  return metric.where === undefined ? "1" : `coalesce(bool_or(${name}), false)::integer`;
}
