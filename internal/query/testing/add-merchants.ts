import type { Pool } from "../../store/pool.ts";

/** Makes merchants of UTC and EUR. @param large of those with rollups from when on, ms since 1970-01-01 UTC. */
export async function addMerchants(
  pool: Pool,
  merchantIds: readonly number[],
  large: ReadonlyMap<number, number>,
): Promise<void> {
  const ready = merchantIds.map((id) => {
    const from = large.get(id);
    return from === undefined ? null : new Date(from);
  });
  await pool.query(
    `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days, rollups_from, rollups_ready_from)
     OVERRIDING SYSTEM VALUE
     SELECT id, 'Shop', 'UTC', 'EUR', 7300, ready, ready
     FROM unnest($1::integer[], $2::timestamptz[]) AS merchants (id, ready)`,
    [merchantIds, ready],
  );
}
