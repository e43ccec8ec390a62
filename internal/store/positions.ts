import type { Pool } from "./pool.ts";

/** How far a partition's stream is committed. */
export interface Position {
  /** The last committed sequence. */
  readonly seq: number;
  /** When JetStream stored the batch there, ms since 1970-01-01 UTC; undefined where that is not known. */
  readonly storedTime: number | undefined;
}

/** A partition's position. @throws when the installation has no such partition. */
export async function readPosition(pool: Pool, partition: number): Promise<Position> {
  const { rows } = await pool.query<{ stream_seq: string; stored_ms: number | null }>(
    `SELECT stream_seq, (extract(epoch FROM stream_stored_at) * 1000)::float8 AS stored_ms
     FROM partitions WHERE partition_id = $1`,
    [partition],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`partition ${partition}: is not in the table of partitions`);
  return { seq: Number(row.stream_seq), storedTime: row.stored_ms ?? undefined };
}

/** How far a partition is committed, and refreshed. */
export interface Progress {
  readonly partition: number;
  readonly position: Position;
  /** Age of the oldest commit that the continuous aggregates may lack, ms; undefined where they lack none. */
  readonly unrefreshedMs: number | undefined;
}

/** How far all partitions are, in one statement. */
export async function readProgress(pool: Pool): Promise<Progress[]> {
  const { rows } = await pool.query<{
    partition_id: number;
    stream_seq: string;
    stored_ms: number | null;
    unrefreshed_ms: number | null;
  }>(
    `SELECT partition_id, stream_seq, (extract(epoch FROM stream_stored_at) * 1000)::float8 AS stored_ms,
       CASE WHEN committed_through IS DISTINCT FROM refreshed_through
         THEN greatest(0, extract(epoch FROM now() - coalesce(refreshed_through, committed_through)) * 1000)::float8
       END AS unrefreshed_ms
     FROM partitions`,
  );
  return rows.map((row) => ({
    partition: row.partition_id,
    position: { seq: Number(row.stream_seq), storedTime: row.stored_ms ?? undefined },
    unrefreshedMs: row.unrefreshed_ms ?? undefined,
  }));
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

/**
 * Moves a position back, and writes that down.
 * @returns whether the position still was `from`.
 */
export async function rewindPosition(
  pool: Pool,
  partition: number,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `WITH moved AS (
       UPDATE partitions SET stream_seq = $3, stream_stored_at = NULL
       WHERE partition_id = $1 AND stream_seq = $2 RETURNING partition_id
     )
     INSERT INTO stream_rewinds (partition_id, from_seq, to_seq) SELECT partition_id, $2, $3 FROM moved`,
    [partition, from, to],
  );
  return rowCount === 1;
}
