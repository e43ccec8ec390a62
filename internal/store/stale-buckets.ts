import type { EventColumns } from "./event-columns.ts";
import type { Client } from "./pool.ts";
import type { Activity } from "./sessions/join.ts";

/** Length of the buckets whose refresh is kept track of, ms; that of the finest continuous aggregate. */
export const STALE_BUCKET_MS = 15 * 60_000;

interface Written {
  readonly columns: EventColumns;
  readonly duplicates: Uint8Array;
}

/**
 * Notes the quarter hours that a commit has written to.
 * @param rejoined spans of time of events that were there before and were changed.
 */
export async function markStale(
  client: Client,
  { partition, through }: { readonly partition: number; readonly through: number },
  written: readonly Written[],
  rejoined: readonly Activity[],
): Promise<void> {
  const buckets = new Set<number>();
  for (const { start, end } of rejoined) {
    for (let at = Math.floor(start / STALE_BUCKET_MS); at <= end / STALE_BUCKET_MS; at++) buckets.add(at);
  }
  for (const { columns, duplicates } of written) {
    for (let row = 0; row < columns.rows; row++) {
      if (duplicates[row] === 0) buckets.add(Math.floor(columns.time.get(row) / STALE_BUCKET_MS));
    }
  }
  if (buckets.size === 0) return;
  // Ascending, so that two transactions never wait for each other in a circle.
  const times = [...buckets].sort((a, b) => a - b).map((bucket) => bucket * STALE_BUCKET_MS);
  // The position tells this write from all others of the partition, also from one before the bucket was
  // cleared: a count would begin anew there, and a slow refresher would take this write for the one it saw.
  await client.query(
    `INSERT INTO stale_buckets (bucket, partition_id, written_seq)
     SELECT to_timestamp(ms / 1000), $2, $3 FROM unnest($1::float8[]) AS b (ms)
     ON CONFLICT (bucket, partition_id) DO UPDATE SET written_seq = excluded.written_seq`,
    [times, partition, through],
  );
}
