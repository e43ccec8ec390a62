import type { LedgerObject } from "../archive-objects.ts";
import { type Pool, transaction } from "../pool.ts";

/** A partition in which somebody is erased. */
export interface ErasedPartition {
  readonly partition: number;
  readonly version: number;
}

/** The partitions with objects that erasures have not been taken out of yet, and how far erasures have come there. */
export async function partitionsToErase(pool: Pool): Promise<ErasedPartition[]> {
  const { rows } = await pool.query<ErasedPartition>(
    `SELECT partition_id AS partition, erasure_version::float8 AS version FROM partitions p
     WHERE EXISTS (SELECT FROM archive_objects o
       WHERE o.partition_id = p.partition_id AND o.kind = 'events' AND o.erasure_version < p.erasure_version)
     ORDER BY 1`,
  );
  return rows;
}

/** Names of the partition's objects that erasures up to its version have not been taken out of. */
export async function objectsToErase(pool: Pool, { partition, version }: ErasedPartition): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT name FROM archive_objects
     WHERE partition_id = $1 AND kind = 'events' AND erasure_version < $2 ORDER BY first_seq`,
    [partition, version],
  );
  return rows.map(({ name }) => name);
}

/** Notes that an object holds nothing of who is erased up to a version. */
export async function noteErased(pool: Pool, name: string, version: number): Promise<void> {
  await pool.query("UPDATE archive_objects SET erasure_version = $2 WHERE name = $1", [name, version]);
}

/** Puts a rewritten object into an old one's place, which is to be deleted from S3 afterwards. */
export function replaceObject(
  pool: Pool,
  old: string,
  object: Pick<LedgerObject, "name" | "batches" | "rows" | "bytes" | "sha256">,
  version: number,
): Promise<void> {
  return transaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE archive_objects SET name = $2, batches = $3, rows = $4, bytes = $5, sha256 = $6, erasure_version = $7
       WHERE name = $1`,
      [old, object.name, object.batches, object.rows, object.bytes, Buffer.from(object.sha256), version],
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
     WHERE kind = 'set_aside' AND partition_id IN (SELECT partition_id FROM erasures)`,
  );
  return rows[0]!.objects;
}
