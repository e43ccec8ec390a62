import { failpoint } from "../failpoint/failpoint.ts";
import { QUARTER_HOUR_AGGREGATES, TOTALS } from "./continuous-aggregates.ts";
import type { Pool } from "./pool.ts";
import type { SetApart } from "./set-apart.ts";
import { STALE_BUCKET_MS } from "./stale-buckets.ts";
import { type Refresh, spanKey, tryRefresh } from "./try-refresh.ts";

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
 * @param apart takes the buckets whose refresh fails: the others go on, and refreshed_through stays where it is for the
 * partitions that wrote to those. Default: what fails ends it.
 * @returns how many buckets were refreshed; 0 when it was ended.
 */
export async function refreshStale(pool: Pool, signal?: AbortSignal, apart?: SetApart): Promise<number> {
  const { rows } = await pool.query<Snapshot>(READ_SNAPSHOT);
  const { stale, positions, hasRollups } = rows[0]!;
  const round = { pool, stale, aggregates: hasRollups ? QUARTER_HOUR_AGGREGATES : [TOTALS], apart };
  const buckets = [...new Set(stale.map(({ bucket }) => bucket))].sort((a, b) => b - a);
  const keyOf = (bucket: number) => spanKey(refreshOf(round, singleOf(bucket)));
  const hasFailed = (bucket: number) => apart?.hasFailed(keyOf(bucket)) === true;
  apart?.retain(spanKey({ ...round, from: "" }), buckets.map(keyOf));
  const refreshed = new Set<number>();
  for (const span of spansOf(buckets.filter((bucket) => !hasFailed(bucket)))) {
    if (signal?.aborted) return 0;
    if (await refreshSpan(round, span)) for (const bucket of bucketsOf(span)) refreshed.add(bucket);
  }
  // Those that failed, now or before, one by one: all others of their spans can be refreshed.
  for (const bucket of buckets.filter(hasFailed)) {
    if (signal?.aborted) return 0;
    if (await refreshSpan(round, singleOf(bucket))) refreshed.add(bucket);
  }
  const lacking = new Set(stale.flatMap((s) => (refreshed.has(s.bucket) ? [] : [s.partition])));
  await moveRefreshed(
    pool,
    positions.filter((position) => !lacking.has(position.partition)),
  );
  return stale.filter(({ bucket }) => refreshed.has(bucket)).length;
}

interface Round {
  readonly pool: Pool;
  readonly stale: Snapshot["stale"];
  readonly aggregates: readonly string[];
  readonly apart: SetApart | undefined;
}

/** @returns whether it was refreshed; false: it failed, or is not to be tried yet. */
async function refreshSpan(round: Round, span: Span): Promise<boolean> {
  const { pool, stale, apart } = round;
  const buckets = bucketsOf(span);
  const refresh = refreshOf(round, span);
  if (buckets.length === 1 && apart?.isWaiting(spanKey(refresh)) === true) return false;
  const parts = buckets.length === 1 ? [] : buckets.map((bucket) => refreshOf(round, singleOf(bucket)));
  failpoint("refresh.before");
  if (!(await tryRefresh(pool, refresh, apart, parts))) return false;
  failpoint("refresh.after");
  await clear(
    pool,
    stale.filter(({ bucket }) => bucket >= span.from && bucket < span.to),
  );
  return true;
}

function refreshOf({ aggregates }: Pick<Round, "aggregates">, { from, to }: Span): Refresh {
  return { aggregates, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

function singleOf(bucket: number): Span {
  return { from: bucket, to: bucket + STALE_BUCKET_MS };
}

function bucketsOf({ from, to }: Span): number[] {
  return Array.from({ length: (to - from) / STALE_BUCKET_MS }, (_, at) => from + at * STALE_BUCKET_MS);
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
