import type { LedgerObject } from "../archive-objects.ts";
import { type Pool, transaction } from "../pool.ts";

/** A partition with objects, and how far erasures have come there. */
export interface ErasedPartition {
  readonly partition: number;
  readonly version: number;
}

/** The partitions that have objects. */
export async function archivedPartitions(pool: Pool): Promise<ErasedPartition[]> {
  const { rows } = await pool.query<ErasedPartition>(
    `SELECT partition_id AS partition, erasure_version::float8 AS version FROM partitions p
     WHERE EXISTS (SELECT FROM archive_objects o WHERE o.partition_id = p.partition_id)
     ORDER BY 1`,
  );
  return rows;
}

/** An object that may hold what is to go. */
export interface ObjectToErase {
  readonly name: string;
  /** The UTC day on which its batches were stored, as 2026-11-23. */
  readonly day: string;
  /** Of the retentions that were asked with, the longest whose rows are to go, days; 0: none. */
  readonly days: number;
}

/**
 * How long after a merchant's retention an object that was stored on a day is gone through, days: what was stored at the
 * day's end is older than the retention then, wherever clocks are.
 */
export const MARGIN_DAYS = 2;

/**
 * The partition's objects that erasures up to its version have not been taken out of, or a retention that is over.
 * @param retentions those of the partition's merchants, days.
 * @param today a UTC day, as 2026-11-23.
 */
export async function objectsToErase(
  pool: Pool,
  { partition, version }: ErasedPartition,
  retentions: readonly number[],
  today: string,
): Promise<ObjectToErase[]> {
  const { rows } = await pool.query<ObjectToErase>(
    `SELECT name, o.day::text AS day, greatest(past.days, expired_days) AS days
     FROM archive_objects o
     CROSS JOIN LATERAL (
       SELECT coalesce(max(days), 0) AS days FROM unnest($3::integer[]) AS r (days)
       WHERE o.day + days + $5::integer <= $4::date
     ) past
     WHERE partition_id = $1 AND kind = 'events' AND (erasure_version < $2 OR past.days > expired_days)
     ORDER BY first_seq`,
    [partition, version, retentions, today, MARGIN_DAYS],
  );
  return rows;
}

/** What nobody could read of a partition, once it is older than the longest retention of all (days): names. */
export async function deadLettersToExpire(pool: Pool, longest: number, today: string): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT name FROM archive_objects
     WHERE kind = 'dead_letter' AND bytes > 0 AND day + $1::integer + $3::integer <= $2::date ORDER BY name`,
    [longest, today, MARGIN_DAYS],
  );
  return rows.map(({ name }) => name);
}

/** What is out of an object: erasures up to a version, and merchants that keep so many days or fewer. */
export interface Erased {
  readonly version: number;
  readonly days: number;
}

/** Notes that an object holds nothing that is to go. */
export async function noteErased(pool: Pool, name: string, { version, days }: Erased): Promise<void> {
  await pool.query("UPDATE archive_objects SET erasure_version = $2, expired_days = $3 WHERE name = $1", [
    name,
    version,
    days,
  ]);
}

/** Puts a rewritten object into an old one's place, which is to be deleted from S3 afterwards. */
export function replaceObject(
  pool: Pool,
  old: string,
  object: Pick<LedgerObject, "name" | "batches" | "rows" | "bytes" | "sha256">,
  { version, days }: Erased,
): Promise<void> {
  return transaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE archive_objects SET name = $2, batches = $3, rows = $4, bytes = $5, sha256 = $6, erasure_version = $7,
         expired_days = $8
       WHERE name = $1`,
      [
        old,
        object.name,
        object.batches,
        object.rows,
        object.bytes,
        Buffer.from(object.sha256),
        version,
        days,
      ],
    );
    if (rowCount !== 1) throw new Error(`archive: ${old} is not in the ledger any more`);
    await client.query("INSERT INTO archive_deletions (name) VALUES ($1) ON CONFLICT DO NOTHING", [old]);
  });
}

/** Objects that are still to be deleted from S3. */
export async function objectsToDelete(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>("SELECT name FROM archive_deletions ORDER BY name");
  return rows.map(({ name }) => name);
}

/** Notes that an object is not on S3 any more. */
export async function noteDeleted(pool: Pool, name: string): Promise<void> {
  await pool.query("DELETE FROM archive_deletions WHERE name = $1", [name]);
}

/** How many objects of erased partitions are batches that nobody could read, and so nobody can look into. */
export async function unreadableObjects(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ objects: number }>(
    `SELECT count(*)::integer AS objects FROM archive_objects
     WHERE kind = 'dead_letter' AND partition_id IN (SELECT partition_id FROM erasures)`,
  );
  return rows[0]!.objects;
}

/** Which of some names no line of the ledger has. */
export async function unknownObjects(pool: Pool, names: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT name FROM unnest($1::text[]) AS n (name)
     WHERE NOT EXISTS (SELECT FROM archive_objects o WHERE o.name = n.name)`,
    [names],
  );
  return rows.map(({ name }) => name);
}
