import { failpoint } from "../failpoint/failpoint.ts";
import { QUARTER_HOUR_AGGREGATES, TOTALS } from "./continuous-aggregates.ts";
import { forceRefresh } from "./force-refresh.ts";
import type { Pool } from "./pool.ts";
import { STALE_BUCKET_MS } from "./stale-buckets.ts";

/** Stale buckets and how far each partition was committed, as of one moment. */
interface Snapshot {
  /** bucket: ms since 1970-01-01 UTC. writtenSeq: the position of the last commit that wrote to it. */
  readonly stale: readonly { bucket: number; partition: number; writtenSeq: number }[];
  /** through: as PostgreSQL writes it. */
  readonly positions: readonly { partition: number; through: string }[];
  /** Whether any merchant has rollups: without one, only the totals can have changed. */
  readonly hasRollups: boolean;
}

/** A span of event time, [from, to), ms since 1970-01-01 UTC. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** One statement, and so one moment: what is committed by then is in `stale`. */
const READ_SNAPSHOT = `SELECT
  (SELECT coalesce(json_agg(json_build_object('bucket', extract(epoch FROM bucket) * 1000,
     'partition', partition_id, 'writtenSeq', written_seq)), '[]') FROM stale_buckets) AS stale,
  (SELECT coalesce(json_agg(json_build_object('partition', partition_id, 'through', committed_through)), '[]')
     FROM partitions WHERE committed_through IS DISTINCT FROM refreshed_through) AS positions,
  EXISTS (SELECT FROM merchants WHERE rollups_from IS NOT NULL) AS "hasRollups"`;

/**
 * Refreshes the quarter-hourly aggregates over all buckets that were written, newest first, and moves each
 * partition's refreshed_through to where it was committed when this began. A crash in between, or another
 * program's refresh, repeats work and loses none: a bucket is cleared only after its refresh, and only if it
 * was not written again.
 * @param signal ends it between two spans; what is not refreshed then stays stale.
 * @returns how many buckets were refreshed; 0 when it was ended.
 */
export async function refreshStale(pool: Pool, signal?: AbortSignal): Promise<number> {
  const { rows } = await pool.query<Snapshot>(READ_SNAPSHOT);
  const { stale, positions, hasRollups } = rows[0]!;
  const aggregates = hasRollups ? QUARTER_HOUR_AGGREGATES : [TOTALS];
  for (const span of spansOf(stale.map(({ bucket }) => bucket))) {
    if (signal?.aborted) return 0;
    failpoint("refresh.before");
    await forceRefresh(pool, aggregates, new Date(span.from).toISOString(), new Date(span.to).toISOString());
    failpoint("refresh.after");
    await clear(
      pool,
      stale.filter(({ bucket }) => bucket >= span.from && bucket < span.to),
    );
  }
  await moveRefreshed(pool, positions);
  return stale.length;
}

const MOVE = `UPDATE partitions p SET refreshed_through = greatest(p.refreshed_through, s.through)
  FROM unnest($1::integer[], $2::timestamptz[]) AS s (partition_id, through)
  WHERE p.partition_id = s.partition_id`;

/** Those that no commit is at work on. */
const MOVE_FREE = `${MOVE} AND p.partition_id IN (
    SELECT partition_id FROM partitions WHERE partition_id = ANY ($1) FOR UPDATE SKIP LOCKED)
  RETURNING p.partition_id`;

/**
 * A commit holds its partition's row to its end. All in one statement would wait for each in turn and hold up the
 * others' next commits meanwhile.
 */
async function moveRefreshed(pool: Pool, positions: Snapshot["positions"]): Promise<void> {
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

/** Longest span that is refreshed at once, ms. */
const LONGEST_SPAN_MS = 24 * 3_600_000;

/** Neighbouring buckets as one span, of a day at most; newest span first. */
export function spansOf(buckets: readonly number[]): Span[] {
  const spans: Span[] = [];
  for (const bucket of [...new Set(buckets)].sort((a, b) => b - a)) {
    const newest = spans.at(-1);
    const isNext = newest !== undefined && newest.from === bucket + STALE_BUCKET_MS;
    if (isNext && newest.to - newest.from < LONGEST_SPAN_MS) {
      spans[spans.length - 1] = { from: bucket, to: newest.to };
    } else {
      spans.push({ from: bucket, to: bucket + STALE_BUCKET_MS });
    }
  }
  return spans;
}

/** Clears buckets, and marks their days for the daily aggregates, where any merchant has some. */
async function clear(pool: Pool, stale: Snapshot["stale"]): Promise<void> {
  await pool.query(
    `WITH cleared AS (
       DELETE FROM stale_buckets b
       USING unnest($1::float8[], $2::integer[], $3::bigint[]) AS s (ms, partition_id, written_seq)
       WHERE b.bucket = to_timestamp(s.ms / 1000) AND b.partition_id = s.partition_id
         AND b.written_seq = s.written_seq
       RETURNING b.bucket, b.partition_id
     )
     INSERT INTO stale_days (day, partition_id)
     SELECT DISTINCT time_bucket(INTERVAL '1 day', bucket), partition_id FROM cleared
     WHERE EXISTS (SELECT FROM merchants WHERE rollups_from IS NOT NULL)
     ON CONFLICT (day, partition_id) DO UPDATE SET version = DEFAULT`,
    [stale.map((s) => s.bucket), stale.map((s) => s.partition), stale.map((s) => s.writtenSeq)],
  );
}
