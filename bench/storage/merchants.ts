import { regionOf } from "../../internal/simulate/shop.ts";
import type { Pool } from "../../internal/store/pool.ts";

export const SEED = 1;

/** Merchants that are written at once. */
const SLICE = 50_000;

/** The time zone and currency of a merchant: merchant 1 is the largest. */
export function regionOfMerchant(merchantId: number) {
  return regionOf(SEED, merchantId - 1);
}

/** Makes the merchants of the simulation, 1 to `count`. */
export async function createMerchants(pool: Pool, count: number): Promise<void> {
  for (let first = 1; first <= count; first += SLICE) {
    const ids = Array.from({ length: Math.min(SLICE, count - first + 1) }, (_, at) => first + at);
    const regions = ids.map(regionOfMerchant);
    await pool.query(
      `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days) OVERRIDING SYSTEM VALUE
       SELECT id, 'shop ' || id, zone, currency, 7300
       FROM unnest($1::integer[], $2::text[], $3::text[]) AS m (id, zone, currency)`,
      [ids, regions.map(({ timeZone }) => timeZone), regions.map(({ currency }) => currency)],
    );
  }
}
