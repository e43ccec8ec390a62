import { regionOf } from "../../internal/simulate/shop.ts";
import type { Pool } from "../../internal/store/pool.ts";

export const SEED = 1;

/** The largest merchants have rollups, as those with many events a day are given them: one in 1,000. */
const LARGE_SHARE = 1 / 1_000;

/** Makes the merchants of the simulation, 1 (the largest) to `count`, the largest with rollups from the beginning. */
export async function createMerchants(pool: Pool, count: number): Promise<void> {
  const regions = new Map<string, { timeZone: string; currency: string; number: number }>();
  // A number instead of two texts: there may be a million merchants.
  const numbers = Array.from({ length: count }, (_, merchant) => {
    const { timeZone, currency } = regionOf(SEED, merchant);
    const key = `${timeZone} ${currency}`;
    const known = regions.get(key) ?? { timeZone, currency, number: regions.size + 1 };
    regions.set(key, known);
    return known.number;
  });
  await pool.query(
    `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days, rollups_from, rollups_ready_from)
       OVERRIDING SYSTEM VALUE
     SELECT id, 'shop ' || id, zone, r.currency, 7300, rollups, rollups
     FROM unnest($1::smallint[]) WITH ORDINALITY AS m (region, id)
     JOIN unnest($2::text[], $3::text[]) WITH ORDINALITY AS r (zone, currency, region) USING (region)
     CROSS JOIN LATERAL (SELECT CASE WHEN id <= $4::integer THEN '2000-01-01Z'::timestamptz END AS rollups) l`,
    [
      numbers,
      [...regions.values()].map(({ timeZone }) => timeZone),
      [...regions.values()].map(({ currency }) => currency),
      Math.max(1, Math.round(count * LARGE_SHARE)),
    ],
  );
}
