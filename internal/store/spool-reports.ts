import { Failure } from "../failure/failure.ts";
import { type Client, type Pool, transaction } from "./pool.ts";
import { isTemporary } from "./temporary.ts";

/** What a spool holds of one partition. */
export interface HeldBack {
  readonly partition: number;
  readonly events: number;
  /** How long ago the first of them was acknowledged, ms. */
  readonly oldestAgeMs: number;
}

/** All that a spool holds now. */
export interface SpoolReport {
  /** 16 bytes of its file, as a UUID. */
  readonly spoolId: string;
  readonly collectorId: string;
  readonly heldBack: readonly HeldBack[];
}

/** Most spools that are known at a time: who makes a new one with each start must not fill the table. */
export const MAX_SPOOLS = 10_000;

/** What a report may take to come here, and clocks may differ by, ms. */
const MARGIN = "interval '1 second'";

/** A value that stands for the time before which an earlier report's events count as held, if they still may. */
const STILL_LEFT = `CASE WHEN r.left_until > coalesce(
    (SELECT committed_through FROM partitions p WHERE p.partition_id = r.partition_id), '-infinity')
  THEN r.left_at END`;

const LEAVE = `left_at = least(r.oldest_at, ${STILL_LEFT}), left_until = now() + ${MARGIN}`;

/**
 * Writes down what a spool holds, instead of what it told before. What it held before and does not any more counts as
 * held back until its partition is committed to the time of this report.
 * @throws Failure exhausted when too many other spools are known, unavailable while the database is away.
 */
export async function writeSpoolReport(
  pool: Pool,
  { spoolId, collectorId, heldBack }: SpoolReport,
): Promise<void> {
  try {
    await transaction(pool, (client) => write(client, { spoolId, collectorId, heldBack }));
  } catch (cause) {
    if (!isTemporary(cause)) throw cause;
    throw new Failure("unavailable", "spool: what it holds cannot be written down now", { cause });
  }
}

async function write(client: Client, { spoolId, collectorId, heldBack }: SpoolReport): Promise<void> {
  const { rows } = await client.query<{ others: number }>(
    "SELECT count(DISTINCT spool_id)::integer AS others FROM spool_reports WHERE spool_id <> $1",
    [spoolId],
  );
  if (rows[0]!.others >= MAX_SPOOLS) {
    const message = `spools: ${MAX_SPOOLS} others are known, forget those that are gone (admin spools forget)`;
    throw new Failure("exhausted", message);
  }
  const partitions = heldBack.map(({ partition }) => partition);
  await client.query(
    `UPDATE spool_reports r SET ${LEAVE}, events = 0, oldest_at = NULL, reported_at = now()
       WHERE spool_id = $1 AND events > 0 AND partition_id <> ALL ($2::integer[])`,
    [spoolId, partitions],
  );
  await client.query(
    `INSERT INTO spool_reports AS r (spool_id, collector_id, partition_id, events, oldest_at)
       SELECT $1, $2, partition_id, events, now() - age_ms * interval '1 ms' - ${MARGIN}
       FROM unnest($3::integer[], $4::bigint[], $5::float8[]) AS t (partition_id, events, age_ms)
       ORDER BY partition_id
       ON CONFLICT (spool_id, partition_id) DO UPDATE SET ${LEAVE}, collector_id = excluded.collector_id,
         events = excluded.events, oldest_at = excluded.oldest_at, reported_at = now()`,
    [
      spoolId,
      collectorId,
      partitions,
      heldBack.map(({ events }) => events),
      heldBack.map(({ oldestAgeMs }) => oldestAgeMs),
    ],
  );
  await client.query(
    `DELETE FROM spool_reports r USING partitions p
       WHERE r.events = 0 AND p.partition_id = r.partition_id AND p.committed_through >= r.left_until`,
  );
}

/** A spool that was told of and not emptied since, as an operator sees it. Times: ISO 8601. */
export interface KnownSpool {
  readonly spoolId: string;
  readonly collectorId: string;
  readonly events: number;
  readonly partitions: number;
  readonly oldestTime: string;
  readonly reportedTime: string;
}

/** The spools that hold events back, the one with the oldest first. */
export async function listSpools(pool: Pool): Promise<KnownSpool[]> {
  const { rows } = await pool.query<{
    spool_id: string;
    collector_id: string;
    events: string;
    partitions: number;
    oldest: Date;
    reported: Date;
  }>(
    `SELECT spool_id, max(collector_id) AS collector_id, sum(events) AS events, count(*)::integer AS partitions,
       min(oldest_at) AS oldest, max(reported_at) AS reported
     FROM spool_reports WHERE events > 0 GROUP BY spool_id ORDER BY min(oldest_at), spool_id`,
  );
  return rows.map(({ spool_id, collector_id, events, partitions, oldest, reported }) => ({
    spoolId: spool_id,
    collectorId: collector_id,
    events: Number(events),
    partitions,
    oldestTime: oldest.toISOString(),
    reportedTime: reported.toISOString(),
  }));
}

/** Forgets a spool that will never tell again: reports no longer wait for its events. @returns whether it was known. */
export async function forgetSpool(pool: Pool, spoolId: string): Promise<boolean> {
  const { rowCount } = await pool.query("DELETE FROM spool_reports WHERE spool_id = $1", [spoolId]);
  return (rowCount ?? 0) > 0;
}
