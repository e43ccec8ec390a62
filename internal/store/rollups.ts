import type { Pool } from "./pool.ts";

/** Which merchants have rollups, and from which time of events on (ms since 1970-01-01 UTC). */
export type RollupStarts = ReadonlyMap<number, number>;

/**
 * A merchant joins at a midnight that is at least this far ahead, ms: no event is as young by then, and every
 * aggregator knows of it in time.
 */
export const ROLLUPS_LEAD_MS = 2 * 3_600_000;

/** How long an aggregator goes by its list of them before it reads it again, ms: far less than the lead. */
export const ROLLUPS_FRESH_MS = ROLLUPS_LEAD_MS / 120;

export const DAY_MS = 86_400_000;

export async function readRollupStarts(pool: Pool): Promise<RollupStarts> {
  const { rows } = await pool.query<{ merchant_id: number; ms: number }>(
    `SELECT merchant_id, (extract(epoch FROM rollups_from) * 1000)::float8 AS ms
     FROM merchants WHERE rollups_from IS NOT NULL`,
  );
  return new Map(rows.map(({ merchant_id, ms }) => [merchant_id, ms]));
}

/**
 * Gives rollups to the merchants that had so many events on the last whole UTC day, from a midnight ahead on.
 * @param now ms since 1970-01-01 UTC.
 * @returns how many joined.
 */
export async function addLargeMerchants(pool: Pool, now: number, eventsPerDay: number): Promise<number> {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  const from = Math.ceil((now + ROLLUPS_LEAD_MS) / DAY_MS) * DAY_MS;
  const { rowCount } = await pool.query(
    `UPDATE merchants m SET rollups_from = $3, rollups_ready_from = $3
     FROM (
       SELECT merchant_id FROM totals_15m WHERE bucket >= $1 AND bucket < $2
       GROUP BY merchant_id HAVING sum(events) >= $4
     ) large
     WHERE m.merchant_id = large.merchant_id AND m.rollups_from IS NULL`,
    [new Date(today - DAY_MS), new Date(today), new Date(from), eventsPerDay],
  );
  return rowCount ?? 0;
}
