import type { Pool } from "./pool.ts";

/** A partition's last committed sequence. @throws when the installation has no such partition. */
export async function readPosition(pool: Pool, partition: number): Promise<number> {
  const { rows } = await pool.query<{ stream_seq: string }>(
    "SELECT stream_seq FROM partitions WHERE partition_id = $1",
    [partition],
  );
  if (rows[0] === undefined) throw new Error(`partition ${partition}: is not in the table of partitions`);
  return Number(rows[0].stream_seq);
}

/** Notes that all batches stored before a time (ms since 1970-01-01 UTC) are committed, if the position still holds. */
export async function movedThrough(
  pool: Pool,
  partition: number,
  position: number,
  time: number,
): Promise<void> {
  await pool.query(
    `UPDATE partitions SET committed_through = greatest(committed_through, to_timestamp($3::float8 / 1000))
     WHERE partition_id = $1 AND stream_seq = $2`,
    [partition, position, time],
  );
}
