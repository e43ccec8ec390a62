import type { Merchant } from "../../internal/report/get-report.ts";
import type { Pool } from "../../internal/store/pool.ts";

/** By size. */
export type Chosen = ReadonlyMap<string, { readonly merchant: Merchant; readonly events: number }>;

/** The largest merchant, the one in the middle of the ranks on a logarithmic scale, and the median one. */
export async function chosenMerchants(pool: Pool): Promise<Chosen> {
  const { rows: ranked } = await pool.query<{ id: number; events: string }>(
    "SELECT merchant_id AS id, sum(events) AS events FROM totals_15m GROUP BY 1 ORDER BY 2 DESC, 1",
  );
  const ranks = {
    largest: 0,
    middle: Math.min(ranked.length - 1, Math.floor(Math.sqrt(ranked.length))),
    small: Math.floor(ranked.length / 2),
  };
  const { rows: merchants } = await pool.query<Merchant>(
    `SELECT merchant_id AS "merchantId", time_zone AS "timeZone", currency,
       (extract(epoch FROM rollups_ready_from) * 1000)::float8 AS "rollupsReadyFrom"
     FROM merchants WHERE merchant_id = ANY ($1)`,
    [Object.values(ranks).map((rank) => ranked[rank]!.id)],
  );
  return new Map(
    Object.entries(ranks).map(([size, rank]) => {
      const { id, events } = ranked[rank]!;
      const merchant = merchants.find(({ merchantId }) => merchantId === id)!;
      return [size, { merchant, events: Number(events) }];
    }),
  );
}
