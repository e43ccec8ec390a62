import {
  bucketStart,
  GRAINS,
  type Grain,
  type GrainName,
  grainOf,
  nextGrain,
} from "./continuous-aggregates.ts";
import { raiseVersions } from "./day-versions.ts";
import type { EventColumns } from "./event-columns.ts";
import type { Client, Pool } from "./pool.ts";
import type { Activity } from "./sessions/join.ts";

const QUARTER_HOUR = grainOf("15m");

/** A bucket that is to be refreshed, and the mark that it was found with. */
export interface Invalidation {
  /** Ms since 1970-01-01 UTC. */
  readonly start: number;
  readonly partition: number;
  readonly version: string;
}

/** SQL that marks quarter hours, of a select of `bucket` and `partition_id`; ordered, so that no two wait in a circle. */
export function invalidateSql(select: string): string {
  return `INSERT INTO invalidations (grain, start, partition_id)
    SELECT '15m', bucket, partition_id FROM (${select}) written GROUP BY bucket, partition_id ORDER BY 2, 3
    ON CONFLICT (grain, start, partition_id) DO UPDATE SET version = DEFAULT`;
}

/**
 * Marks quarter hours of a partition, by any time within each, ms since 1970-01-01 UTC; their days' versions rise, as what
 * is behind the aggregates has changed.
 */
export async function invalidate(client: Client, partition: number, times: Iterable<number>): Promise<void> {
  const starts = new Set<number>();
  for (const time of times) starts.add(bucketStart(QUARTER_HOUR, time));
  if (starts.size === 0) return;
  await client.query(
    invalidateSql(
      "SELECT to_timestamp(ms / 1000) AS bucket, $2::integer AS partition_id FROM unnest($1::float8[]) AS b (ms)",
    ),
    [[...starts], partition],
  );
  await raiseVersions(client, partition, starts);
}

interface Written {
  readonly columns: EventColumns;
  readonly duplicates: Uint8Array;
}

/**
 * Marks the quarter hours that a commit has written to.
 * @param rejoined spans of time of events that were there before and were changed.
 */
export function invalidateWritten(
  client: Client,
  partition: number,
  written: readonly Written[],
  rejoined: readonly Activity[],
): Promise<void> {
  return invalidate(client, partition, timesOf(written, rejoined));
}

function* timesOf(written: readonly Written[], rejoined: readonly Activity[]): Iterable<number> {
  for (const { start, end } of rejoined) {
    for (let at = bucketStart(QUARTER_HOUR, start); at <= end; at += QUARTER_HOUR.ms) yield at;
  }
  for (const { columns, duplicates } of written) {
    for (let row = 0; row < columns.rows; row++) if (duplicates[row] === 0) yield columns.time.get(row);
  }
}

/**
 * Clears buckets that were refreshed, but for those that were marked again meanwhile.
 * @param marksNext whether the next longer buckets that they are in are marked.
 */
export async function clear(
  pool: Pool,
  grain: Grain,
  found: readonly Invalidation[],
  marksNext: boolean,
): Promise<void> {
  const next = marksNext ? nextGrain(grain) : undefined;
  await pool.query(
    `WITH cleared AS (
       DELETE FROM invalidations i
       USING unnest($2::float8[], $3::integer[], $4::bigint[]) AS f (ms, partition_id, version)
       WHERE i.grain = $1 AND i.start = to_timestamp(f.ms / 1000) AND i.partition_id = f.partition_id
         AND i.version = f.version
       RETURNING i.start, i.partition_id
     )
     INSERT INTO invalidations (grain, start, partition_id)
     SELECT DISTINCT $5::text, time_bucket($6::interval, start), partition_id FROM cleared
     WHERE $5::text IS NOT NULL ORDER BY 2, 3
     ON CONFLICT (grain, start, partition_id) DO UPDATE SET version = DEFAULT`,
    [
      grain.name,
      found.map(({ start }) => start),
      found.map(({ partition }) => partition),
      found.map(({ version }) => version),
      next?.name ?? null,
      `${(next ?? grain).ms} ms`,
    ],
  );
}

/** SQL of the starts of a grain's buckets that are marked, or hold a shorter one that is. */
export function invalidStartsSql(grain: GrainName): string {
  const { ms } = grainOf(grain);
  const upTo = GRAINS.filter((shorter) => shorter.ms <= ms).map(({ name }) => `'${name}'`);
  return `SELECT time_bucket(INTERVAL '${ms} ms', start) FROM invalidations WHERE grain IN (${upTo.join(", ")})`;
}
