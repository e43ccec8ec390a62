import { partitionOf } from "../../internal/event/partition.ts";
import type { Merchant } from "../../internal/query/question/question.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { PARTITIONS } from "../storage/load.ts";

/** A merchant with its events. */
export interface Ranked extends Merchant {
  readonly events: number;
}

/** Merchants with events, those with most first. */
export async function rankedMerchants(pool: Pool): Promise<Ranked[]> {
  const { rows } = await pool.query<{ id: number; events: string; zone: string; currency: string }>(
    `SELECT m.merchant_id AS id, sum(t.events) AS events, m.time_zone AS zone, m.currency
     FROM totals_15m t JOIN merchants m USING (merchant_id)
     GROUP BY m.merchant_id ORDER BY 2 DESC, 1`,
  );
  return rows.map(({ id, events, zone, currency }) => ({
    ...{ merchantId: id, partitionId: partitionOf(id, PARTITIONS) },
    ...{ timeZone: zone, currency, events: Number(events) },
  }));
}
