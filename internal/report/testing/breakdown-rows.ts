import fc from "fast-check";
import type { Pool } from "../../store/pool.ts";

/** A stored event, as far as breakdowns look at it. */
export interface Row {
  readonly merchantId: number;
  /** Epoch milliseconds. */
  readonly ts: number;
  readonly name: string;
  readonly path: string;
  readonly host: string;
  readonly source: string | null;
  readonly country: string | null;
  readonly browser: string | null;
  readonly visitor: number;
  readonly session: number;
  readonly isBot: boolean;
  /** Micros of an order; null: the event has none. */
  readonly revenue: number | null;
}

const maybe = (values: readonly string[]) => fc.constantFrom(...values, null);

/** Random events of merchants at whole minutes of a span, epoch ms. */
export function rowsWithin(
  merchants: readonly number[],
  from: number,
  to: number,
  count: number,
): fc.Arbitrary<Row[]> {
  const minutes = Math.floor((to - from) / 60_000);
  const row = fc.record({
    merchantId: fc.constantFrom(...merchants),
    ts: fc.integer({ min: 0, max: minutes - 1 }).map((minute) => from + minute * 60_000),
    name: fc.constantFrom("page_view", "click", "purchase"),
    path: fc.constantFrom("/", "/a", "/b", "/c/d", "/e"),
    host: fc.constantFrom("shop.example", "other.example"),
    source: maybe(["google", "news"]),
    country: maybe(["DE", "NP"]),
    browser: maybe(["Firefox", "Chrome"]),
    // Of few visitors, some in each sample.
    visitor: fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom(1, 8, 32, 128, 512))
      .map(([number, factor]) => number * factor),
    session: fc.integer({ min: 1, max: 60 }),
    isBot: fc.boolean(),
    revenue: fc.option(fc.integer({ min: -1e9, max: 1e12 })),
  });
  return fc.array(row, { minLength: count, maxLength: count });
}

/**
 * Stores rows as the aggregator commits them: those from a merchant's start on are in the rollups; quarter hours are stale.
 */
export async function storeRows(
  pool: Pool,
  rows: readonly Row[],
  { starts, partition }: { starts: ReadonlyMap<number, number>; partition: number },
): Promise<void> {
  await pool.query(
    `WITH stored AS (
       INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name, url,
         page, host, channel, source, country, browser, is_bot, order_id, order_kind, order_revenue_micros, revenue_micros, in_rollups)
       SELECT merchant, to_timestamp(ms / 1000), now(), gen_random_uuid(), visitor, session, 1, name,
         'https://' || host || path || '?q=1',
         path, host, 'by ' || source, source, country, browser, bot, revenue::text, 1 + 0 * revenue,
         revenue, revenue, in_rollups
       FROM jsonb_to_recordset($1::jsonb) AS r (merchant integer, ms float8, visitor bigint, session bigint, name text,
         host text, path text, source text, country text, browser text, bot boolean, revenue bigint, in_rollups boolean)
       RETURNING ts
     )
     INSERT INTO invalidations (grain, start, partition_id)
     SELECT DISTINCT '15m', time_bucket(INTERVAL '15 minutes', ts), $2::integer FROM stored
     ON CONFLICT (grain, start, partition_id) DO UPDATE SET version = DEFAULT`,
    [
      JSON.stringify(
        rows.map(({ merchantId, ts, isBot, ...row }) => ({
          ...row,
          merchant: merchantId,
          ms: ts,
          bot: isBot,
          in_rollups: ts >= (starts.get(merchantId) ?? Number.POSITIVE_INFINITY),
        })),
      ),
      partition,
    ],
  );
}
