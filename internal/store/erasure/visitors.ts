import { raiseVersions } from "../day-versions.ts";
import type { Client } from "../pool.ts";
import { lockPartition } from "./in-tries.ts";
import type { Losses } from "./losses.ts";
import { countRemoved } from "./removals.ts";
import type { Erasure, Person } from "./subject.ts";

/**
 * Forgets when a visitor first came, after the visitor's events. One who has come since is new from the first of these
 * events on. Nobody writes to the merchant's partition meanwhile.
 */
export async function removeVisitor(client: Client, erasure: Erasure, { hash }: Person): Promise<void> {
  const { erasureId, merchantId, partition, erasedThrough } = erasure;
  await lockPartition(client, partition);
  const { rowCount: removed } = await client.query(
    "DELETE FROM visitors WHERE merchant_id = $1 AND visitor_id = $2",
    [merchantId, hash],
  );
  if (removed === 0) return;
  const { rowCount: remaining } = await client.query(
    `INSERT INTO visitors (merchant_id, visitor_id, people_first_time, bots_first_time, seen_month)
     SELECT $1, $2, min(ts) FILTER (WHERE NOT is_bot), min(ts) FILTER (WHERE is_bot),
       date_trunc('month', max(ts) AT TIME ZONE 'UTC')
     FROM events WHERE merchant_id = $1 AND visitor_id = $2 AND ts > to_timestamp($3::float8 / 1000)
     HAVING count(*) > 0`,
    [merchantId, hash, erasedThrough],
  );
  await countRemoved(client, erasureId, { visitors: 1 - (remaining ?? 0) });
  // Whoever asks for new visitors depends on all days before, on any early one as well as on the right ones.
  await raiseVersions(client, partition, [0]);
}

/**
 * Likewise of visitors who have lost some of their events: who has come before the first of these is as known as ever, all
 * others are new from the first event that is left on.
 */
export async function mendVisitors(client: Client, erasure: Erasure, losses: Losses): Promise<void> {
  const { erasureId, merchantId, partition } = erasure;
  await lockPartition(client, partition);
  const firstTime = (column: string, isBot: string) =>
    `${column} = CASE WHEN v.${column} < lost.since THEN v.${column} ELSE lost.${isBot} END`;
  await client.query(
    `UPDATE visitors v SET ${firstTime("people_first_time", "people")}, ${firstTime("bots_first_time", "bots")},
       seen_month = least(v.seen_month, date_trunc('month', coalesce(lost.until, lost.since) AT TIME ZONE 'UTC')::date)
     FROM (
       SELECT id AS visitor_id, to_timestamp($3::float8 / 1000) AS since, min(e.ts) FILTER (WHERE NOT e.is_bot) AS people,
         min(e.ts) FILTER (WHERE e.is_bot) AS bots, max(e.ts) AS until
       FROM unnest($2::bigint[]) AS id LEFT JOIN events e
         ON e.merchant_id = $1 AND e.visitor_id = id AND e.ts >= to_timestamp($3::float8 / 1000)
       GROUP BY id
     ) lost
     WHERE v.merchant_id = $1 AND v.visitor_id = lost.visitor_id`,
    [merchantId, losses.visitors, losses.leftFrom],
  );
  const { rowCount: removed } = await client.query(
    `DELETE FROM visitors WHERE merchant_id = $1 AND visitor_id = ANY ($2::bigint[])
       AND people_first_time IS NULL AND bots_first_time IS NULL`,
    [merchantId, losses.visitors],
  );
  await countRemoved(client, erasureId, { visitors: removed ?? 0 });
  await raiseVersions(client, partition, [0]);
}
