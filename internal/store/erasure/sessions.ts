import type { Client } from "../pool.ts";
import { lockPartition } from "./in-tries.ts";
import { countRemoved } from "./removals.ts";
import type { Erasure } from "./subject.ts";

/** How much later than it was received an event may seem to have happened, ms (event/event-time.ts), and a bit more. */
const AHEAD_MS = 10_000;

/**
 * Removes the sessions that storage had found for a visitor, after the visitor's events. One that goes on with
 * events which are not erased begins at the first of these. Nobody writes to the merchant's partition meanwhile.
 */
export async function removeSessions(client: Client, erasure: Erasure): Promise<void> {
  const { erasureId, merchantId, visitorId, partition, erasedThrough } = erasure;
  await lockPartition(client, partition);
  const { rows } = await client.query<{ session_id: string }>(
    `DELETE FROM visitor_sessions
     WHERE merchant_id = $1 AND visitor_id = $2 AND started_at <= to_timestamp($3::float8 / 1000)
     RETURNING session_id`,
    [merchantId, visitorId, erasedThrough + AHEAD_MS],
  );
  if (rows.length === 0) return;
  const { rowCount } = await client.query(
    `INSERT INTO visitor_sessions (merchant_id, visitor_id, started_at, ended_at, session_id)
     SELECT $1, $2, min(ts), max(ts), session_id FROM events
     WHERE merchant_id = $1 AND visitor_id = $2 AND ts > to_timestamp($3::float8 / 1000)
       AND session_id = ANY ($4::bigint[])
     GROUP BY session_id`,
    [merchantId, visitorId, erasedThrough, rows.map(({ session_id }) => session_id)],
  );
  await countRemoved(client, erasureId, { visitor_sessions: rows.length - (rowCount ?? 0) });
}
