import { partitionOf } from "../../event/partition.ts";
import type { Pool } from "../../store/pool.ts";
import { estimate, type RegisterCount } from "../../store/report/hyperloglog.ts";
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
     INSERT INTO stale_buckets (bucket, partition_id, written_seq)
     SELECT DISTINCT time_bucket(INTERVAL '15 minutes', ts), partition_id, $8::bigint
     FROM unnest($2::timestamptz[], $7::integer[]) AS bucket (ts, partition_id)
     ON CONFLICT (bucket, partition_id) DO UPDATE SET written_seq = excluded.written_seq`,
    [
      rows.map((row) => row.merchantId),
      rows.map((row) => new Date(row.ts).toISOString()),
      rows.map((row) => row.visitor),
      rows.map((row) => row.session),
      rows.map((row) => row.isBot),
      rows.map((row) => row.ts >= (rollupsFrom.get(row.merchantId) ?? Number.POSITIVE_INFINITY)),
      rows.map((row) => partitionOf(row.merchantId, PARTITIONS)),
      ++commits,
    ],
  );
}

let commits = 0;

/** What HyperLogLog estimates of some ids that one sketch has seen; its registers are filled one by one here. */
export function sketched(ids: readonly bigint[]): bigint {
  const registers = new Map<bigint, bigint>();
  for (const id of ids) {
    const hash = BigInt.asUintN(64, id);
    const rest = (hash >> 14n) | (1n << 50n);
    const lowestBit = rest & -rest;
    const register = hash & 16_383n;
    if (lowestBit > (registers.get(register) ?? 0n)) registers.set(register, lowestBit);
  }
  const counts: RegisterCount[] = [...registers.values()].map((lowestBit) => ({ lowestBit, registers: 1n }));
  return estimate(counts);
}
