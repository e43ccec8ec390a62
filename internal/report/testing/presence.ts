import { partitionOf } from "../../event/partition.ts";
import type { Pool } from "../../store/pool.ts";
import { PARTITIONS } from "./fixture.ts";

/** That someone was there: all that distinct counts look at. */
export interface Presence {
  readonly merchantId: number;
  /** Epoch milliseconds. */
  readonly ts: number;
  readonly visitor: bigint;
  readonly session: bigint;
  readonly isBot: boolean;
}

/**
 * Writes events as the aggregator commits them: with their stale quarter hours, and in the rollups from a time on.
 * @param rollupsFrom by merchant, epoch milliseconds.
 */
export async function insertPresences(
  pool: Pool,
  rows: readonly Presence[],
  rollupsFrom: ReadonlyMap<number, number>,
): Promise<void> {
  await pool.query(
    `WITH row AS (
       INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name,
         is_bot, in_rollups)
       SELECT merchant_id, ts, ts, gen_random_uuid(), visitor_id, session_id, 1, 'x', is_bot, in_rollups
       FROM unnest($1::integer[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::boolean[], $6::boolean[])
         AS row (merchant_id, ts, visitor_id, session_id, is_bot, in_rollups)
     )
     INSERT INTO invalidations (grain, start, partition_id)
     SELECT DISTINCT '15m', time_bucket(INTERVAL '15 minutes', ts), partition_id
     FROM unnest($2::timestamptz[], $7::integer[]) AS bucket (ts, partition_id)
     ON CONFLICT (grain, start, partition_id) DO UPDATE SET version = DEFAULT`,
    [
      rows.map((row) => row.merchantId),
      rows.map((row) => new Date(row.ts).toISOString()),
      rows.map((row) => row.visitor),
      rows.map((row) => row.session),
      rows.map((row) => row.isBot),
      rows.map((row) => row.ts >= (rollupsFrom.get(row.merchantId) ?? Number.POSITIVE_INFINITY)),
      rows.map((row) => partitionOf(row.merchantId, PARTITIONS)),
    ],
  );
}
