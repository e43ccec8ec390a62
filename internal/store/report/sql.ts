import { sqlFile } from "../sql-file.ts";
import type { Statement } from "./statement.ts";

const ADDITIVE_TOTALS_15M = sqlFile("./additive_totals_15m.sql", import.meta.url);
const ADDITIVE_EVENTS = sqlFile("./additive_events.sql", import.meta.url);
const DISTINCT_EVENTS = sqlFile("./distinct_events.sql", import.meta.url);
const DISTINCT_SESSIONS_15M = sqlFile("./distinct_sessions_15m.sql", import.meta.url);

export const EVENT_COUNT = sqlFile("./event_count.sql", import.meta.url);

/**
 * The SQL of a statement. Its parameters: $1 merchant, $2 first edge, $3 last edge, $4 all edges and, where the
 * source is an aggregate, $5 the merchant's partition and more, as its file says. Its result: bucket_number (1 for the
 * first bucket; null for the whole span), then a whole number, int8 or numeric, for each column.
 *
 * @param includeBots counts bots' events too.
 * @throws TypeError when there are no columns, or one brings rows of its own: the only rows that a statement
 * may see are those that the templates restrict to one merchant.
 */
export function sqlOf(statement: Statement, includeBots = false): string {
  if (statement.columns.length === 0) throw new TypeError("a statement needs a column");
  const people = peopleOnly(includeBots);
  if (statement.shape === "distinct") {
    return fill(statement.source === "events" ? DISTINCT_EVENTS : DISTINCT_SESSIONS_15M, {
      people,
      keys: list(statement.columns, (column) => expression(column.key)),
      counts: list(statement.columns, (_, name) => `count(DISTINCT ${name})`),
    });
  }
  const aggregates = list(statement.columns, (column) => `coalesce(${expression(column.events)}, 0)`);
  if (statement.source === "events") return fill(ADDITIVE_EVENTS, { people, aggregates });
  return fill(ADDITIVE_TOTALS_15M, {
    people,
    aggregates,
    totals: list(statement.columns, (column) => expression(column.totals15m)),
    sums: list(statement.columns, (_, name) => `coalesce(sum(${name}), 0)`),
  });
}

/** A part of a WHERE: bots' rows are left out unless they are asked for. */
export function peopleOnly(includeBots = false): string {
  return includeBots ? "" : "AND NOT is_bot";
}

/** A select list whose columns are named c0, c1, ... */
export function list<C>(columns: readonly C[], sql: (column: C, name: string) => string): string {
  return columns.map((column, index) => `${sql(column, `c${index}`)} AS c${index}`).join(", ");
}

/** @throws TypeError for an expression that brings rows of its own. */
export function expression(sql: string): string {
  if (/;|--|\/\*|\{\{|\b(select|from|table|union)\b/i.test(sql)) {
    throw new TypeError(`not an expression over the rows of one merchant: ${sql}`);
  }
  return `(${sql})`;
}

/** A template with its {{parts}} filled in. */
export function fill(template: string, parts: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => parts[name]!);
}
