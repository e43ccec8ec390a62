import { DAY_AGGREGATES } from "./continuous-aggregates.ts";
import type { Pool } from "./pool.ts";
import type { SetApart } from "./set-apart.ts";
import { type Bounds, refreshAll } from "./try-refresh.ts";

/** A day and the mark that it was found with. */
interface StaleDay extends Bounds {
  readonly version: string;
}

/** Those that ended a quarter of an hour ago: what comes on the last seconds' heels is in. */
const READ_ENDED = `SELECT day::text AS from, (day + INTERVAL '1 day')::text AS to, max(version)::text AS version
  FROM stale_days WHERE day + INTERVAL '1 day 15 minutes' <= now() GROUP BY day ORDER BY day DESC`;

/** Clears a day's marks, and marks its week and its month for the longer aggregates. */
const CLEAR = `WITH cleared AS (
    DELETE FROM stale_days WHERE day = $1 AND version <= $2 RETURNING day, partition_id
  ), weeks AS (
    INSERT INTO stale_spans (days, start, partition_id)
    SELECT 7, time_bucket(INTERVAL '7 days', day), partition_id FROM cleared
    ON CONFLICT (days, start, partition_id) DO UPDATE SET version = DEFAULT
  )
  INSERT INTO stale_months (month, partition_id)
  SELECT date_trunc('month', day, 'UTC'), partition_id FROM cleared
  ON CONFLICT (month, partition_id) DO UPDATE SET version = DEFAULT`;

/**
 * Refreshes the daily aggregates over all days that are over and stale, newest first. A day is marked as its quarter
 * hours are refreshed, so that what a daily aggregate is built on is always there before it. One that is marked
 * again meanwhile stays stale. Its month is marked for the monthly aggregates.
 * @param signal ends it between two days.
 * @param apart takes the days whose refresh fails: the others go on. Default: what fails ends it.
 * @param aggregates all that the database has; fewer in one that is to be migrated.
 * @returns how many days were refreshed.
 */
export async function refreshStaleDays(
  pool: Pool,
  signal?: AbortSignal,
  apart?: SetApart,
  aggregates: readonly string[] = DAY_AGGREGATES,
): Promise<number> {
  const { rows } = await pool.query<StaleDay>(READ_ENDED);
  const clear = ({ from, version }: StaleDay) => pool.query(CLEAR, [from, version]);
  return refreshAll({ pool, aggregates, spans: rows, clear, signal, apart });
}
