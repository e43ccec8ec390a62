import type { Pool } from "../../../store/pool.ts";
import { type Row, randomRows } from "../../testing/fixture.ts";

/** A stored event with a page. */
export interface Visit extends Row {
  readonly url: string | null;
  /** The path that a person reads in the url. */
  readonly page: string | undefined;
}

const ORIGIN = "https://shop.example";
const URLS: readonly (readonly [url: string | null, page: string | undefined])[] = [
  [null, undefined],
  ["no address", undefined],
  [ORIGIN, "/"],
  [`${ORIGIN}/?q=/checkout/1/thanks`, "/"],
  [`${ORIGIN}/checkout/1/thanks`, "/checkout/1/thanks"],
  [`${ORIGIN}/checkout/two/thanks?x=/1`, "/checkout/two/thanks"],
  [`${ORIGIN}/checkout/two/thanks#/2`, "/checkout/two/thanks"],
  [`${ORIGIN}/checkout/1/2/thanks`, "/checkout/1/2/thanks"],
  [`${ORIGIN}/checkout/thanks`, "/checkout/thanks"],
  [`${ORIGIN}/blog`, "/blog"],
  [`${ORIGIN}/blog/`, "/blog/"],
  [`${ORIGIN}/blog/2025/03/a.html`, "/blog/2025/03/a.html"],
  [`${ORIGIN}/blog/x/b.html?c.html`, "/blog/x/b.html"],
  [`${ORIGIN}/blog/c.html`, "/blog/c.html"],
  [`${ORIGIN}/other/blog/x/b.html`, "/other/blog/x/b.html"],
];

/** `count` events of a merchant over some days: the same ones for the same seed. A purchase alone has an order. */
export function randomVisits(
  seed: number,
  merchantId: number,
  start: string,
  days: number,
  count: number,
): Visit[] {
  const end = new Date(Date.parse(start) + days * 86_400_000).toISOString();
  return randomRows(seed, start, end, count).map((row, at) => {
    const [url, page] = URLS[(at * 7 + row.visitor) % URLS.length]!;
    return { ...row, merchantId, url, page, name: row.orderId === null ? row.name : "purchase" };
  });
}

/** Writes events as the aggregator commits them. */
export async function insertVisits(pool: Pool, rows: readonly Visit[]): Promise<void> {
  await pool.query(
    `INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name, url,
       page, is_bot, order_id, order_kind, revenue_micros)
     SELECT merchant_id, ts, ts, gen_random_uuid(), visitor, visitor, 1, name, url, page, is_bot, order_id,
       CASE WHEN order_id IS NOT NULL THEN order_kind END, revenue
     FROM jsonb_to_recordset($1::jsonb) AS r (merchant_id integer, ts timestamptz, visitor bigint, name text, url text,
       page text, is_bot boolean, order_id text, order_kind smallint, revenue bigint)`,
    [
      JSON.stringify(
        rows.map((row) => ({
          merchant_id: row.merchantId,
          ts: new Date(row.ts).toISOString(),
          visitor: row.visitor,
          name: row.name,
          url: row.url,
          page: row.page,
          is_bot: row.isBot ?? false,
          order_id: row.orderId,
          order_kind: row.orderKind ?? 1,
          revenue: row.revenue === null ? null : String(row.revenue),
        })),
      ),
    ],
  );
}
