import { raiseVersions } from "../day-versions.ts";
import type { Client } from "../pool.ts";
import { lockPartition } from "./in-tries.ts";
import { countRemoved } from "./removals.ts";
import type { Erasure } from "./subject.ts";

/**
 * Forgets when a visitor first came, after the visitor's events. One who has come since is new from the first of these
 * events on. Nobody writes to the merchant's partition meanwhile.
 */
export async function removeVisitor(client: Client, erasure: Erasure): Promise<void> {
  const { erasureId, merchantId, visitorId, partition, erasedThrough } = erasure;
  await lockPartition(client, partition);
  const { rowCount: removed } = await client.query(
    "DELETE FROM visitors WHERE merchant_id = $1 AND visitor_id = $2",
    [merchantId, visitorId],
  );
  if (removed === 0) return;
  const { rowCount: remaining } = await client.query(
    `INSERT INTO visitors (merchant_id, visitor_id, people_first_time, bots_first_time, seen_month)
     SELECT $1, $2, min(ts) FILTER (WHERE NOT is_bot), min(ts) FILTER (WHERE is_bot),
       date_trunc('month', max(ts) AT TIME ZONE 'UTC')
     FROM events WHERE merchant_id = $1 AND visitor_id = $2 AND ts > to_timestamp($3::float8 / 1000)
     HAVING count(*) > 0`,
    [merchantId, visitorId, erasedThrough],
  );
  await countRemoved(client, erasureId, { visitors: 1 - (remaining ?? 0) });
  // Whoever asks for new visitors depends on all days before, on any early one as well as on the right ones.
  await raiseVersions(client, partition, [0]);
}
