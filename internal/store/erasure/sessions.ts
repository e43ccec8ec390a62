import { DAY_MS } from "../day.ts";
import type { Client } from "../pool.ts";
import { lockPartition } from "./in-tries.ts";
import type { Losses } from "./losses.ts";
import { countRemoved } from "./removals.ts";
import type { Erasure } from "./subject.ts";

/** How much later than it was received an event may seem to have happened, ms (event/event-time.ts), and a bit more. */
const AHEAD_MS = 10_000;

/** Longer no session that storage finds is, ms. */
const LONGEST_MS = DAY_MS;

/**
 * Removes the sessions that storage had found for visitors, after these have lost events. One with events which are not
 * erased goes from the first to the last of these. Nobody writes to the merchant's partition meanwhile.
 */
export async function removeSessions(client: Client, erasure: Erasure, losses: Losses): Promise<void> {
  const { erasureId, merchantId, partition, erasedThrough } = erasure;
  const { visitors, from, leftFrom } = losses;
  await lockPartition(client, partition);
  const { rows } = await client.query<{ session_id: string }>(
    `DELETE FROM visitor_sessions
     WHERE merchant_id = $1 AND visitor_id = ANY ($2::bigint[])
       AND started_at >= to_timestamp($3::float8 / 1000) AND started_at <= to_timestamp($4::float8 / 1000)
     RETURNING session_id`,
    [merchantId, visitors, from - LONGEST_MS, erasedThrough + AHEAD_MS],
  );
  if (rows.length === 0) return;
  const { rowCount } = await client.query(
    `INSERT INTO visitor_sessions (merchant_id, visitor_id, started_at, ended_at, session_id)
     SELECT $1, visitor_id, min(ts), max(ts), session_id FROM events
     WHERE merchant_id = $1 AND visitor_id = ANY ($2::bigint[]) AND ts >= to_timestamp($3::float8 / 1000)
       AND session_id = ANY ($4::bigint[])
     GROUP BY visitor_id, session_id`,
    [merchantId, visitors, leftFrom - LONGEST_MS, rows.map(({ session_id }) => session_id)],
  );
  await countRemoved(client, erasureId, { visitor_sessions: rows.length - (rowCount ?? 0) });
}
