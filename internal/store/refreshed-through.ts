import type { Pool } from "./pool.ts";

export interface PartitionPosition {
  readonly partition: number;
  /** As PostgreSQL writes it. */
  readonly through: string;
}

const MOVE = `UPDATE partitions p SET refreshed_through = greatest(p.refreshed_through, s.through)
  FROM unnest($1::integer[], $2::timestamptz[]) AS s (partition_id, through)
  WHERE p.partition_id = s.partition_id`;

/** Those that no commit is at work on. */
const MOVE_FREE = `${MOVE} AND p.partition_id IN (
    SELECT partition_id FROM partitions WHERE partition_id = ANY ($1) FOR UPDATE SKIP LOCKED)
  RETURNING p.partition_id`;

/**
 * Notes up to when what partitions have committed is in the aggregates of quarter hours; never goes back. A commit holds
 * its partition's row to its end: all in one statement would wait for each in turn and hold up the others' next commits
 * meanwhile.
 */
export async function moveRefreshed(pool: Pool, positions: readonly PartitionPosition[]): Promise<void> {
  if (positions.length === 0) return;
  const { rows } = await pool.query<{ partition_id: number }>(MOVE_FREE, [
    positions.map(({ partition }) => partition),
    positions.map(({ through }) => through),
  ]);
  const moved = new Set(rows.map(({ partition_id }) => partition_id));
  for (const { partition, through } of positions) {
    if (!moved.has(partition)) await pool.query(MOVE, [[partition], [through]]);
  }
}
