import type { Pool } from "./pool.ts";

/** Which merchants have rollups, and from which time of events on (ms since 1970-01-01 UTC). */
export type RollupStarts = ReadonlyMap<number, number>;

/** How long an aggregator goes by its list of them before it reads it again, ms. */
export const ROLLUPS_FRESH_MS = 60_000;

/** The merchants that have rollups, and from which time of events on. */
export function readRollupStarts(pool: Pool): Promise<RollupStarts> {
  return readStarts(pool, "rollups_from");
}

/** The merchants that are to be given rollups, and from which day on (ms since 1970-01-01 UTC). */
export function readRollupsWanted(pool: Pool): Promise<RollupStarts> {
  return readStarts(pool, "rollups_wanted_from");
}

async function readStarts(pool: Pool, column: "rollups_from" | "rollups_wanted_from"): Promise<RollupStarts> {
  const { rows } = await pool.query<{ merchant_id: number; ms: number }>(
    `SELECT merchant_id, (extract(epoch FROM ${column}) * 1000)::float8 AS ms
     FROM merchants WHERE ${column} IS NOT NULL ORDER BY merchant_id`,
  );
  return new Map(rows.map(({ merchant_id, ms }) => [merchant_id, ms]));
}

/**
 * Notes which merchants had so many events on one of some UTC days, and have no rollups there: they are to be given them
 * from that day on (rollups-backfill.ts). Of days whose totals are refreshed: today's, or of history that was imported.
 * @param from @param to midnights, ms since 1970-01-01 UTC.
 */
export async function wantRollups(
  pool: Pool,
  { from, to, eventsPerDay }: { readonly from: number; readonly to: number; readonly eventsPerDay: number },
): Promise<void> {
  await pool.query(
    `UPDATE merchants m SET rollups_wanted_from = least(m.rollups_wanted_from, large.day)
     FROM (
       SELECT merchant_id, min(day) AS day FROM (
         SELECT merchant_id, time_bucket(INTERVAL '1 day', bucket) AS day FROM totals_15m
         WHERE bucket >= $1 AND bucket < $2
         GROUP BY 1, 2 HAVING sum(events) >= $3
       ) days GROUP BY merchant_id
     ) large
     WHERE m.merchant_id = large.merchant_id AND coalesce(m.rollups_ready_from > large.day, true)`,
    [new Date(from), new Date(to), eventsPerDay],
  );
}
