import sql, { join, raw, type Sql } from "sql-template-tag";
import type { Facts } from "../plan/plan.ts";
import type { Scoped, Span } from "../question/question.ts";
import { as, instant, ofMerchant, ofSample } from "./rows.ts";

/** How a column of whole sessions is made. */
interface Fact {
  /** SQL aggregates over rows of events of one session, and what they are called in visits. */
  readonly parts: Readonly<Record<string, string>>;
  /** SQL aggregate over several of these. */
  readonly whole: string;
}

/** What brought a visit is told by its first event that has a channel. */
function brought(column: string): Fact {
  return {
    parts: {
      [column]: `first(${column}, ts) FILTER (WHERE channel <> '')`,
      brought_time: "min(ts) FILTER (WHERE channel <> '')",
    },
    whole: `first(${column}, brought_time) FILTER (WHERE brought_time IS NOT NULL)`,
  };
}

function page(which: "entry" | "exit"): Fact {
  const [aggregate, least] = which === "entry" ? ["first", "min"] : ["last", "max"];
  return {
    parts: {
      [`${which}_page`]: `${aggregate}(page, ts) FILTER (WHERE name = 'page_view')`,
      [`${which}_page_time`]: `${least}(ts) FILTER (WHERE name = 'page_view')`,
    },
    whole: `${aggregate}(${which}_page, ${which}_page_time) FILTER (WHERE ${which}_page_time IS NOT NULL)`,
  };
}

function measure(part: string, rows: string, whole: "min" | "max"): Fact {
  return { parts: { [part]: rows }, whole: `${whole}(${part})` };
}

/**
 * A sum that is compared with small numbers alone: of parts that are cut to integer, as sums of bigint are numeric, which
 * take ten times the memory in a table of very many sessions.
 */
function tally(part: string, rows: string): Fact {
  return { parts: { [part]: rows }, whole: `sum(least(${part}, 1000000000)::integer)` };
}

/** Every column of whole sessions (plan/columns.ts), by its name. */
const FACTS: Readonly<Record<string, Fact>> = {
  session_first_time: measure("first_time", "min(ts)", "min"),
  session_last_time: measure("last_time", "max(ts)", "max"),
  session_page_views: tally("page_views", "count(*) FILTER (WHERE name = 'page_view')"),
  session_non_passive_events: tally("non_passive_events", "count(*) FILTER (WHERE is_passive IS NOT TRUE)"),
  session_active_ms: tally("active_ms", "coalesce(sum(active_ms), 0)"),
  session_orders: tally("orders", "count(*) FILTER (WHERE order_kind = 1)"),
  session_channel: brought("channel"),
  session_source: brought("source"),
  session_medium: brought("medium"),
  session_campaign: brought("campaign"),
  session_campaign_id: brought("campaign_id"),
  session_campaign_term: brought("campaign_term"),
  session_campaign_content: brought("campaign_content"),
  session_click_id: brought("click_id"),
  session_entry_page: page("entry"),
  session_exit_page: page("exit"),
};

/** What visits have otherwise. A visit has one channel, so that it brought from its first event on. */
const IN_VISITS: Readonly<Record<string, string>> = {
  active_ms: "coalesce(active_ms, 0)",
  brought_time: "CASE WHEN channel <> '' THEN first_time END",
};

/**
 * The sessions that have events in the parts: one row each, with session_id and the columns asked for, and where presence
 * is, whether the session has events in each of the spans (presenceAt).
 */
export function factsSql(question: Scoped, { columns, parts, factor, presence }: Facts): Sql {
  const facts = [...columns].map((column) => [column, FACTS[column]!] as const);
  const cells = Object.assign({}, ...facts.map(([, fact]) => fact.parts)) as Record<string, string>;
  const spans = presence ? question.spans : [];
  const arms = parts.map((part) => {
    const isRows = part.unit === "rows";
    const [table, time] = isRows ? ["events", "ts"] : ["visits_1d", "bucket"];
    const values = Object.entries(cells).map(([name, rows]) =>
      raw(`${isRows ? rows : (IN_VISITS[name] ?? name)} AS ${name}`),
    );
    const inSpans = spans.map((span, at) =>
      as(isRows ? sql`bool_or(${isIn(span, "ts")})` : isVisitIn(span), presenceAt(at)),
    );
    return sql`SELECT ${join([raw("session_id"), ...values, ...inSpans])}
      FROM ${raw(table!)} WHERE ${ofMerchant(question, time!, part)}${ofSample(factor)}${raw(isRows ? " GROUP BY session_id" : "")}`;
  });
  const wholes = facts.map(([column, { whole }]) => raw(`${whole} AS ${column}`));
  const inSpans = spans.map((_, at) => raw(`bool_or(${presenceAt(at)}) AS ${presenceAt(at)}`));
  return sql`SELECT ${join([raw("session_id"), ...wholes, ...inSpans])}
    FROM (${join(arms, " UNION ALL ")}) visits
    GROUP BY session_id`;
}

/** The column of facts that tells whether a session has events in a span. @param at the span's place. */
export function presenceAt(at: number): string {
  return `in_span${at}`;
}

function isIn({ start, end }: Span, time: string): Sql {
  return sql`(${raw(time)} >= ${instant(start)} AND ${raw(time)} < ${instant(end)})`;
}

/** Of a visit both its first and its last event are known: plan/whole-sessions.ts tells for which spans that is enough. */
function isVisitIn(span: Span): Sql {
  return sql`(${isIn(span, "first_time")} OR ${isIn(span, "last_time")})`;
}
