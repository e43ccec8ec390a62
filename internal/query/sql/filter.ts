import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { ITEM_COLUMN_NAMES, SESSION_COLUMNS, VISITOR_COLUMNS } from "../plan/columns.ts";
import { isOfItems } from "../plan/filter-columns.ts";
import {
  type Behavior,
  type Expression,
  type Filter,
  type MetricFilter,
  type Test,
  testsOf,
} from "../question/filter.ts";
import type { Dimension, Metric } from "../schema/field.ts";
import type { FilterContext, Window } from "./context.ts";
import { manySql } from "./rows.ts";
import { testSql } from "./test-value.ts";

/**
 * Condition on rows: true where the filter lets them through, else false or null. Values are parameters only. Behaviors
 * and tests of events' items are subqueries, which the database answers once a statement.
 */
export function filterSql(filter: Filter, at: FilterContext): Sql {
  const window = { from: at.spanStart, to: at.spanEnd };
  return expressionSql(
    filter,
    (dimension, test) => dimensionSql(dimension, test, at, window),
    (behavior) => behaviorSql(behavior, at),
  );
}

/** The same on metrics of a row. @param metricSql a number, of amounts in units of the currency; null: none. */
export function metricFilterSql(filter: MetricFilter, metricSql: (metric: Metric) => Sql): Sql {
  return expressionSql(
    filter,
    (metric, test) => testSql(sql`(${metricSql(metric)})::float8`, "number", test),
    () => {
      throw new TypeError("a metric filter has no behavior");
    },
  );
}

/** A test of an absent value may be null, so that what is negated is made false first. */
function expressionSql<F>(
  expression: Expression<F>,
  ofTest: (field: F, test: Test) => Sql,
  ofBehavior: (behavior: Behavior) => Sql,
): Sql {
  const inner = (one: Expression<F>): Sql => expressionSql(one, ofTest, ofBehavior);
  switch (expression.kind) {
    case "all":
      return expression.of.length === 0 ? sql`true` : sql`(${join(expression.of.map(inner), " AND ")})`;
    case "any":
      return expression.of.length === 0 ? sql`false` : sql`(${join(expression.of.map(inner), " OR ")})`;
    case "not":
      return sql`NOT coalesce(${inner(expression.of)}, false)`;
    case "test":
      return ofTest(expression.field, expression.test);
    case "behavior":
      return ofBehavior(expression);
  }
}

function dimensionSql(dimension: Dimension, test: Test, at: FilterContext, window: Window): Sql {
  const condition = conditionSql(dimension, test, at);
  if (at.isItem || !isOfItems(dimension.columns)) return condition;
  const columns = dimension.columns.map((column) => raw(`${ITEM_COLUMN_NAMES[column]} AS ${column}`));
  return sql`(ts, event_id) IN (
    SELECT ts, event_id FROM (
      SELECT ts, event_id, ${join(columns)} FROM items
      WHERE merchant_id = ${at.merchantId}::integer AND ts >= ${window.from} AND ts < ${window.to}
    ) items WHERE ${condition})`;
}

function conditionSql(dimension: Dimension, test: Test, at: FilterContext): Sql {
  const type = dimension.type === "number" ? "number" : "text";
  if (dimension.isMany) {
    return sql`EXISTS (SELECT FROM unnest(${manySql(dimension.sql(at))}) AS one (value) WHERE ${testSql(raw("value"), type, test)})`;
  }
  if (test.kind === "number" && dimension.number) return testSql(dimension.number, "number", test);
  return testSql(sql`(${dimension.sql(at)})`, type, test);
}

/**
 * Whether the row's session or visitor did so. A session's events are looked for 24 hours around the span, as sessions are
 * cut then; a visitor's within the span.
 */
function behaviorSql({ subject, event, atLeast, atMost }: Behavior, at: FilterContext): Sql {
  if (atLeast === 0 && atMost === undefined) return sql`true`;
  const id = subject === "visitor" ? at.who.id : sql`session_id`;
  const persons = subject === "visitor" ? at.who.join : empty;
  const window = windowOf(subject, at);
  const inner = { ...at, time: sql`ts`, isItem: false };
  const wholes = new Set(
    testsOf(event)
      .flatMap(({ field }) => field.columns)
      .filter((column) => SESSION_COLUMNS.has(column) || VISITOR_COLUMNS.has(column)),
  );
  const passes = expressionSql(
    event,
    (dimension, test) => dimensionSql(dimension, test, inner, window),
    () => {
      throw new TypeError("a behavior has no behavior in it");
    },
  );
  const who = sql`SELECT ${id} FROM events${persons}${wholes.size === 0 ? empty : at.wholes(wholes)}
    WHERE merchant_id = ${at.merchantId}::integer AND ts >= ${window.from} AND ts < ${window.to} AND ${at.traffic}
      AND ${passes}
    GROUP BY ${id}`;
  // With none being enough, who did it too often is left out.
  if (atLeast === 0) return sql`${id} NOT IN (${who} HAVING count(*) > ${atMost}::bigint)`;
  const most = atMost === undefined ? empty : sql` AND count(*) <= ${atMost}::bigint`;
  return sql`${id} IN (${who} HAVING count(*) >= ${atLeast}::bigint${most})`;
}

function windowOf(subject: Behavior["subject"], { spanStart, spanEnd }: FilterContext): Window {
  if (subject === "visitor") return { from: spanStart, to: spanEnd };
  return { from: sql`${spanStart} - INTERVAL '24 hours'`, to: sql`${spanEnd} + INTERVAL '24 hours'` };
}
