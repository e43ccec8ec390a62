import { DAY_MS } from "./day.ts";
import type { Client } from "./pool.ts";

/**
 * SQL that raises the versions of days, of a select of `time` and `partition_id`: whoever changes rows of events or items
 * does so in the same transaction. Kept answers are right as long as the versions of their days are what they were. Days
 * are taken in one order, so that no two transactions wait in a circle. A version rises by a number that chance gives: a
 * database that was restored does not come back to one that it had before, with other rows.
 */
export function raiseVersionsSql(select: string): string {
  return `INSERT INTO day_versions AS known (partition_id, day, version)
    SELECT partition_id, day, 1 + floor(random() * 1e6)::bigint
    FROM (SELECT DISTINCT partition_id, (time AT TIME ZONE 'UTC')::date AS day FROM (${select}) written) days
    ORDER BY 1, 2
    ON CONFLICT (partition_id, day) DO UPDATE SET version = known.version + excluded.version`;
}

const RAISE = raiseVersionsSql(
  "SELECT to_timestamp(ms / 1000) AS time, $1::integer AS partition_id FROM unnest($2::float8[]) AS t (ms)",
);

/** Raises the versions of the UTC days that some times of a partition are in, ms since 1970-01-01 UTC. */
export async function raiseVersions(
  client: Client,
  partition: number,
  times: Iterable<number>,
): Promise<void> {
  const days = new Set<number>();
  for (const time of times) days.add(Math.floor(time / DAY_MS) * DAY_MS);
  if (days.size > 0) await client.query(RAISE, [partition, [...days]]);
}
