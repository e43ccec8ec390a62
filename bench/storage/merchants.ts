import { regionOf } from "../../internal/simulate/shop.ts";
import type { Pool } from "../../internal/store/pool.ts";

export const SEED = 1;

/** Merchants that are written at once. */
const SLICE = 50_000;

/** The time zone and currency of a merchant: merchant 1 is the largest. */
export function regionOfMerchant(merchantId: number) {
  return regionOf(SEED, merchantId - 1);
}

/** The largest merchants have rollups, as addLargeMerchants gives them to those with many events a day: one in 1,000. */
const LARGE_SHARE = 1 / 1_000;

/** Makes the merchants of the simulation, 1 to `count`, the largest of them with rollups from the beginning. */
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
  await pool.query(
    `UPDATE merchants SET rollups_from = '2000-01-01Z', rollups_ready_from = '2000-01-01Z' WHERE merchant_id <= $1`,
    [Math.max(1, Math.round(count * LARGE_SHARE))],
  );
}
