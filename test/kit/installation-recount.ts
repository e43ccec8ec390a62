import type { Merchant } from "../../internal/store/merchants.ts";
import type { Pool } from "../../internal/store/pool.ts";
import type { Numbers } from "./installation-reports.ts";

// Written out, not taken from the registry of metrics: this is what the registry's SQL is compared with.
const NUMBERS = `count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(DISTINCT visitor_id) AS visitors,
  count(DISTINCT session_id) AS sessions,
  coalesce(sum(order_revenue_micros) FILTER (WHERE coalesce(order_currency, $2) = $2), 0)::bigint AS revenue,
  count(DISTINCT order_id) AS orders`;

/**
 * Counts a merchant's raw rows with plain SQL: in all, and by local hour or day (start of the bucket, ms).
 * Times before and after do not matter: all rows count, bots' only if they are asked for.
 */
export async function recount(
  pool: Pool,
  { merchantId, currency }: Pick<Merchant, "merchantId" | "currency">,
  granularity: "hour" | "day",
  timeZone: string,
  includeBots = false,
) {
  const { rows } = await pool.query<Record<keyof Numbers | "bucket", string | null>>(
    `SELECT extract(epoch FROM date_trunc($3, ts, $4)) * 1000 AS bucket, ${NUMBERS}
     FROM events WHERE merchant_id = $1 AND (is_bot IS FALSE OR $5)
     GROUP BY GROUPING SETS ((date_trunc($3, ts, $4)), ())`,
    [merchantId, currency, granularity, timeZone, includeBots],
  );
  const numbers = rows.map(({ bucket, ...counts }) => {
    const row = Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, BigInt(value!)]));
    return [bucket === null ? null : Number(bucket), row as unknown as Numbers] as const;
  });
  const total = numbers.find(([bucket]) => bucket === null)![1];
  return { total, buckets: new Map(numbers.filter(([bucket]) => bucket !== null) as [number, Numbers][]) };
}

/** Rows of a merchant, and how many different event ids they have. */
export async function storedRows(
  pool: Pool,
  merchantId: number,
): Promise<{ rows: number; distinct: number }> {
  const { rows } = await pool.query<{ rows: string; distinct: string }>(
    `SELECT count(*) AS rows, count(DISTINCT event_id) AS "distinct" FROM events WHERE merchant_id = $1`,
    [merchantId],
  );
  return { rows: Number(rows[0]!.rows), distinct: Number(rows[0]!.distinct) };
}

/** What the ledger says in all. */
export async function ledgerTotals(
  pool: Pool,
): Promise<{ rows: number; stored: number; duplicates: number }> {
  const { rows } = await pool.query<Record<"rows" | "stored" | "duplicates", number>>(
    `SELECT coalesce(sum(rows), 0)::integer AS rows, coalesce(sum(stored), 0)::integer AS stored,
       coalesce(sum(duplicates), 0)::integer AS duplicates FROM batch_ledger`,
  );
  return rows[0]!;
}
