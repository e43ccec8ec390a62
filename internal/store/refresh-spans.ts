import { SPAN_AGGREGATES } from "./continuous-aggregates.ts";
import type { Pool } from "./pool.ts";
import type { SetApart } from "./set-apart.ts";
import { type Bounds, refreshAll } from "./try-refresh.ts";

interface StaleSpan extends Bounds {
  readonly version: string;
}

const READ_ENDED = `SELECT start::text AS from, (start + days * INTERVAL '1 day')::text AS to,
    max(version)::text AS version
  FROM stale_spans WHERE days = $1 AND start + days * INTERVAL '1 day' <= now()
  GROUP BY days, start ORDER BY start DESC`;

/** Clears a span's marks, and marks the four weeks that a week is in. */
const CLEAR = `WITH cleared AS (
    DELETE FROM stale_spans WHERE days = $1 AND start = $2 AND version <= $3 RETURNING days, start, partition_id
  )
  INSERT INTO stale_spans (days, start, partition_id)
  SELECT 28, time_bucket(INTERVAL '28 days', start), partition_id FROM cleared WHERE days = 7
  ON CONFLICT (days, start, partition_id) DO UPDATE SET version = DEFAULT`;

/**
 * Refreshes the aggregates of weeks, and then those of four weeks, over all spans that are over and stale, newest first.
 * A span is marked as its days are refreshed, so that what an aggregate is built on is always there before it.
 * @param signal ends it between two spans.
 * @param apart takes the spans whose refresh fails: the others go on. Default: what fails ends it.
 * @returns how many spans were refreshed.
 */
export async function refreshStaleSpans(pool: Pool, signal?: AbortSignal, apart?: SetApart): Promise<number> {
  let refreshed = 0;
  for (const days of [7, 28]) {
    const aggregates = SPAN_AGGREGATES.filter((aggregate) => aggregate.days === days).map(({ name }) => name);
    const { rows } = await pool.query<StaleSpan>(READ_ENDED, [days]);
    const clear = ({ from, version }: StaleSpan) => pool.query(CLEAR, [days, from, version]);
    refreshed += await refreshAll({ pool, aggregates, spans: rows, clear, signal, apart });
  }
  return refreshed;
}
