import { MONTH_AGGREGATES } from "./continuous-aggregates.ts";
import type { Pool } from "./pool.ts";
import type { SetApart } from "./set-apart.ts";
import { type Bounds, refreshAll } from "./try-refresh.ts";

/** A month and the mark that it was found with. */
interface StaleMonth extends Bounds {
  readonly version: string;
}

/**
 * Those that ended a day ago, so that the last day is refreshed too, and were marked an hour ago: each refresh works a
 * whole month over, and late events for it are gathered for so long.
 */
const READ_ENDED = `SELECT month::text AS from, stop::text AS to, max(version)::text AS version
  FROM stale_months
  CROSS JOIN LATERAL (SELECT (month AT TIME ZONE 'UTC' + INTERVAL '1 month') AT TIME ZONE 'UTC' AS stop) months
  WHERE stop + INTERVAL '24 hours' <= now()
  GROUP BY month, stop
  HAVING min(marked_at) + INTERVAL '1 hour' <= now()
  ORDER BY month DESC`;

/**
 * Refreshes the monthly aggregates over all months that are over and stale, newest first; as refreshStaleDays does
 * with days, after which a month is marked.
 * @param signal ends it between two months.
 * @param apart takes the months whose refresh fails: the others go on. Default: what fails ends it.
 * @returns how many months were refreshed.
 */
export async function refreshStaleMonths(
  pool: Pool,
  signal?: AbortSignal,
  apart?: SetApart,
): Promise<number> {
  const { rows } = await pool.query<StaleMonth>(READ_ENDED);
  const clear = ({ from, version }: StaleMonth) =>
    pool.query("DELETE FROM stale_months WHERE month = $1 AND version <= $2", [from, version]);
  return refreshAll({ pool, aggregates: MONTH_AGGREGATES, spans: rows, clear, signal, apart });
}
