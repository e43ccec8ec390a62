import type { Pool } from "../../store/pool.ts";

/**
 * Merchants with given ids, in UTC and EUR.
 * @param starts since when those with rollups have them, ms since 1970-01-01 UTC.
 */
export async function insertMerchants(
  pool: Pool,
  ids: readonly number[],
  starts: ReadonlyMap<number, number>,
): Promise<void> {
  const from = ids.map((id) => starts.get(id)).map((time) => (time === undefined ? null : new Date(time)));
  await pool.query(
    `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days, rollups_from, rollups_ready_from)
       OVERRIDING SYSTEM VALUE
     SELECT id, 'shop', 'UTC', 'EUR', 4000, from_time, from_time
     FROM unnest($1::integer[], $2::timestamptz[]) AS m (id, from_time)`,
    [ids, from],
  );
}
