import type { Question } from "../../internal/query/question/question.ts";
import type { Pool } from "../../internal/store/pool.ts";
import type { Numbers } from "./numbers.ts";
import { type Asked, LIMIT } from "./question.ts";

/** Each metric over rows of `events`, and of `items` joined to them. */
const METRICS: Readonly<Record<string, string>> = {
  events: "count(*)",
  page_views: "count(*) FILTER (WHERE name = 'page_view')",
  visitors: "count(DISTINCT visitor_id)",
  sessions: "count(DISTINCT session_id)",
  revenue: "coalesce(sum(revenue_micros), 0)",
  orders: "count(*) FILTER (WHERE order_kind = 1)",
  items_bought: "sum(quantity_micros) / 1000000.0",
  // Simulated shops sell in their own currency alone, and take nothing back.
  item_revenue: "sum(price_micros * quantity_micros / 1000000)",
};

const SPAN = "merchant_id = $1 AND ts >= $2::timestamptz AND ts < $3::timestamptz";

const PATH = "coalesce(nullif(regexp_replace(url, '^[a-z]+://[^/?#]*|[?#].*$', '', 'g'), ''), '/')";
const PAGE = `CASE WHEN url IS NULL THEN NULL ELSE ${PATH} END`;

/** A dimension as an analyst would write it: an expression over rows made of those of events. */
interface Plain {
  readonly value: string;
  readonly rows?: (events: string) => string;
}

/**
 * A value that one event of a session has for all of them: the first in an order of those that decide. A session lasts
 * for a day at most: it may have begun a day before the span, and end a day behind it.
 */
function ofSession(value: string, decides: string, order: string): Plain {
  const decided = `SELECT DISTINCT ON (session_id) session_id, ${value} AS decided FROM events
      WHERE merchant_id = $1 AND ts >= $2::timestamptz - INTERVAL '1 day' AND ts < $3::timestamptz + INTERVAL '1 day'
        AND ${decides} AND NOT is_bot
      ORDER BY session_id, ${order}`;
  return {
    value: "decided",
    rows: (events) => `(${decided}) sessions RIGHT JOIN (SELECT * FROM ${events}) visits USING (session_id)`,
  };
}

const DIMENSIONS: Readonly<Record<string, Plain>> = {
  page: { value: PAGE },
  entry_page: ofSession(PAGE, "name = 'page_view'", "ts, event_id"),
  // What brought the visit: what the first event says that says anything of it.
  source: ofSession("source", "channel <> ''", "ts, channel, source, medium, campaign"),
  country: { value: "country" },
  device_type: { value: "device_type" },
  event_name: { value: "name" },
  item_name: {
    value: "name",
    rows: (events) => `(SELECT * FROM items WHERE ${SPAN}) sold
      JOIN (SELECT merchant_id, ts, event_id FROM ${events} AND order_kind = 1) orders USING (merchant_id, ts, event_id)`,
  },
};

/** What the rows say, nothing prepared for it: as an analyst would ask them. */
export async function askRows(pool: Pool, asked: Asked, { merchant, spans }: Question): Promise<Numbers> {
  const [{ start, end }] = spans;
  const { rows } = await pool.query<(string | null)[]>({
    text: textOf(asked),
    values: [merchant.merchantId, new Date(start), new Date(end), ...zoneOf(asked, merchant.timeZone)],
    rowMode: "array",
  });
  // Buckets with nothing in them but other events are left out, as the product's are where nothing happened.
  const entries = rows.map(([key, ...values]) => [key ?? "", values.map(Number)] as const);
  return new Map(entries.filter(([, values]) => values.some((each) => each !== 0)));
}

function textOf({ metrics, dimension, granularity, filter }: Asked): string {
  const only = filter === undefined ? "" : ` AND ${filter.dimension} = '${filter.value}'`;
  const events = `events WHERE ${SPAN} AND NOT is_bot${only}`;
  const numbers = metrics.map((metric) => METRICS[metric]).join(", ");
  if (dimension === undefined) return `SELECT '', ${numbers} FROM ${events}`;
  if (dimension === "time") {
    // The first bucket begins with the span.
    const start = `greatest(date_trunc('${granularity}', ts, $4), $2)`;
    return `SELECT (extract(epoch FROM ${start}) * 1000)::bigint::text, ${numbers} FROM ${events} GROUP BY 1`;
  }
  const { value, rows } = DIMENSIONS[dimension]!;
  return `SELECT ${value} AS value, ${numbers} FROM ${rows?.(events) ?? events} GROUP BY 1
    ORDER BY coalesce(${value}, '') = '', 2 DESC, 1 LIMIT ${LIMIT}`;
}

function zoneOf({ dimension }: Asked, timeZone: string): string[] {
  return dimension === "time" ? [timeZone] : [];
}
