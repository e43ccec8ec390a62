import type { BreakdownMetric } from "../../internal/report/breakdown/plan.ts";
import type { Merchant } from "../../internal/report/get-report.ts";
import type { Pool } from "../../internal/store/pool.ts";

/** Numbers by bucket (its start, ms) or by value, one for each metric. */
export type Answer = ReadonlyMap<string, readonly number[]>;

/** How long a span a question is about. */
export type Reach = "day" | "month" | "year";

/** The last whole days of the data, local to the merchant. */
export const SPANS = {
  day: { start: "2025-12-30", end: "2025-12-30" },
  month: { start: "2025-12-01", end: "2025-12-30" },
  year: { start: "2025-01-02", end: "2025-12-30" },
} as const satisfies Record<Reach, { start: string; end: string }>;

/** Each metric over rows of `events`, and of `items` joined to them. */
const METRICS = {
  events: "count(*)",
  page_views: "count(*) FILTER (WHERE name = 'page_view')",
  visitors: "count(DISTINCT visitor_id)",
  sessions: "count(DISTINCT session_id)",
  revenue: "coalesce(sum(revenue_micros), 0)",
  orders: "count(*) FILTER (WHERE order_kind = 1)",
  item_quantity: "sum(quantity_micros)",
  // Simulated shops sell in their own currency alone.
  item_revenue: "sum(price_micros * quantity_micros / 1000000)",
} as const satisfies Partial<Record<BreakdownMetric, string>>;
export type Metric = keyof typeof METRICS;

/** Values that a breakdown answers. */
export const LIMIT = 10;

const FROM = "$2::date::timestamp AT TIME ZONE $4";
const TO = "($3::date + 1)::timestamp AT TIME ZONE $4";
const SPAN = `merchant_id = $1 AND ts >= ${FROM} AND ts < ${TO}`;
const EVENTS = `events WHERE ${SPAN} AND NOT is_bot`;

const PATH = "coalesce(nullif(regexp_replace(url, '^[a-z]+://[^/?#]*|[?#].*$', '', 'g'), ''), '/')";

/** A dimension as an analyst would write it: an expression over rows, by default those of events. */
export interface Plain {
  readonly value: string;
  readonly rows?: string;
}

export const PAGE: Plain = { value: `CASE WHEN url IS NULL THEN NULL ELSE ${PATH} END` };

/**
 * A value that one event of a session has for all of them: the first in an order of those that decide. A session lasts
 * for a day at most: it may have begun a day before the span, and end a day behind it.
 */
function ofSession(value: string, decides: string, order: string): Plain {
  const decided = `SELECT DISTINCT ON (session_id) session_id, ${value} AS decided FROM events
      WHERE merchant_id = $1 AND ts >= ${FROM} - INTERVAL '1 day' AND ts < ${TO} + INTERVAL '1 day'
        AND ${decides} AND NOT is_bot
      ORDER BY session_id, ${order}`;
  const rows = `(${decided}) sessions RIGHT JOIN (SELECT * FROM ${EVENTS}) visits USING (session_id)`;
  return { value: "decided", rows };
}

export const ENTRY_PAGE = ofSession(PAGE.value, "name = 'page_view'", "ts, event_id");

/** What brought the visit: what the first event says that says anything of it. */
export const SOURCE = ofSession("source", "channel IS NOT NULL", "ts, channel, source, medium, campaign");

export const ITEM_NAME: Plain = {
  value: "name",
  rows: `(SELECT * FROM items WHERE ${SPAN}) sold
    JOIN (SELECT merchant_id, ts, event_id FROM ${EVENTS} AND order_kind = 1) orders USING (merchant_id, ts, event_id)`,
};

/** By the start of a bucket, ms; the first one begins with the span. */
export function bucket(granularity: string): Plain {
  return {
    value: `(extract(epoch FROM greatest(date_trunc('${granularity}', ts, $4), ${FROM})) * 1000)::bigint::text`,
  };
}

/** What the rows say, nothing prepared for it. @param tail order and limit. */
export async function askRows(
  pool: Pool,
  { merchantId, timeZone }: Merchant,
  reach: Reach,
  metrics: readonly Metric[],
  { value, rows: from = EVENTS }: Plain,
  tail: string,
): Promise<Answer> {
  const { start, end } = SPANS[reach];
  const { rows } = await pool.query<(string | null)[]>({
    text: `SELECT ${value}, ${metrics.map((metric) => METRICS[metric]).join(", ")} FROM ${from} GROUP BY 1 ${tail}`,
    values: [merchantId, start, end, timeZone],
    rowMode: "array",
  });
  // Buckets with nothing in them but other events are left out, as the product's are where nothing happened.
  const entries = rows.map(([key, ...values]) => [key ?? "", values.map(Number)] as const);
  return new Map(entries.filter(([, values]) => values.some((each) => each !== 0)));
}
