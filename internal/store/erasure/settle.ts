import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "../pool.ts";
import { refreshAll } from "../refresh.ts";
import type { Erasure } from "./subject.ts";

const POLL_MS = 200;

const TRIES = 10;

/**
 * Waits until the continuous aggregates count nothing of an erased visitor any more: until the aggregator has
 * refreshed the quarter hours that lost events, and their days; or refreshes them itself, where that takes longer than
 * `waitMs`.
 */
export async function awaitRefresh(pool: Pool, { erasureId }: Erasure, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  let failures = 0;
  while (await isStale(pool, erasureId)) {
    if (performance.now() > deadline) {
      try {
        // Whatever was stale when it began is refreshed when it ends, also what has become stale again since.
        await refreshAll(pool);
        break;
      } catch (error) {
        // The aggregator's own refresh of the same span may be in the way.
        if (++failures === TRIES) throw error;
      }
    }
    await sleep(POLL_MS * (1 + failures));
  }
  await pool.query("UPDATE erasures SET refreshed_at = now() WHERE erasure_id = $1", [erasureId]);
}

/**
 * Whether a quarter hour that lost events, or its day, waits for its refresh; for that, or for a later one. In one
 * statement: a day is marked as its quarter hours are cleared. A day that is not over is in no daily aggregate yet.
 */
async function isStale(pool: Pool, erasureId: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT 1 FROM erasures e JOIN invalidations i ON i.partition_id = e.partition_id
       AND (i.grain = '15m' AND i.start = ANY (e.quarter_hours)
         OR i.grain = '1d' AND i.start + INTERVAL '1 day 15 minutes' <= now()
           AND i.start IN (SELECT time_bucket(INTERVAL '1 day', q) FROM unnest(e.quarter_hours) q))
     WHERE e.erasure_id = $1
     LIMIT 1`,
    [erasureId],
  );
  return rowCount !== 0;
}
