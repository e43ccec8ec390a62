import { type Client, type Pool, transaction } from "./pool.ts";
import { FencedError } from "./write-batches.ts";

/** Where a partition's archive stands. */
export interface ArchivePosition {
  /** The last sequence that is in the archive. */
  readonly seq: number;
  /** When JetStream stored the batch there, ms since 1970-01-01 UTC; undefined where that is not known. */
  readonly storedTime: number | undefined;
  /** The last sequence of the object that was about to be put, if there is one. */
  readonly plannedThrough: number | undefined;
}

export interface Lease {
  readonly partition: number;
  /** Unique to the process. */
  readonly owner: string;
  /** How long the partition is the owner's unless it claims again, ms. */
  readonly leaseMs: number;
}

/**
 * Takes a partition for a while, or keeps it. Times are the database's own.
 * @returns its position, or undefined while it is another's.
 */
export async function claimPartition(
  pool: Pool,
  { partition, owner, leaseMs }: Lease,
): Promise<ArchivePosition | undefined> {
  const { rows } = await pool.query<{
    stream_seq: string;
    planned_through: string | null;
    stored_ms: number | null;
  }>(
    `INSERT INTO archive_positions AS p (partition_id, owner, owned_until)
     VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms')
     ON CONFLICT (partition_id) DO UPDATE SET owner = excluded.owner, owned_until = excluded.owned_until
     WHERE p.owner = excluded.owner OR p.owner IS NULL OR p.owned_until < clock_timestamp()
     RETURNING stream_seq, planned_through,
       (extract(epoch FROM stream_stored_at) * 1000)::float8 AS stored_ms`,
    [partition, owner, leaseMs],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const { planned_through: planned, stored_ms } = row;
  return {
    seq: Number(row.stream_seq),
    storedTime: stored_ms ?? undefined,
    plannedThrough: planned === null ? undefined : Number(planned),
  };
}

/** Lets others take the partition at once. */
export async function releasePartition(pool: Pool, { partition, owner }: Omit<Lease, "leaseMs">) {
  await pool.query(
    "UPDATE archive_positions SET owner = NULL, owned_until = NULL WHERE partition_id = $1 AND owner = $2",
    [partition, owner],
  );
}

/** A range of a partition's stream: the sequences behind `after`, up to `through`. */
export interface ArchiveRange {
  readonly partition: number;
  readonly after: number;
  readonly through: number;
}

/**
 * Writes down what the next object will hold, before it is put.
 * @throws FencedError when the position is not `after` any more, or another range is planned.
 */
export async function planObject(pool: Pool, { partition, after, through }: ArchiveRange): Promise<void> {
  const { rowCount } = await pool.query(
    `UPDATE archive_positions SET planned_through = $3
     WHERE partition_id = $1 AND stream_seq = $2 AND coalesce(planned_through, $3) = $3`,
    [partition, after, through],
  );
  if (rowCount !== 1)
    throw fenced(partition, `its position is not ${after} any more, or its plan ${through}`);
}

/** A line of the archive's ledger. */
export interface ArchivedObject {
  readonly kind: "events" | "dead_letter";
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** UTC day, as 2026-11-23. */
  readonly day: string;
  /** Behind the prefix of the installation's archive. */
  readonly name: string;
  readonly batches: number;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: Uint8Array;
  readonly reason?: string | undefined;
}

export interface ArchiveCommit extends ArchiveRange {
  /** When JetStream stored the batch at `through`, ms since 1970-01-01 UTC; undefined when it was not there. */
  readonly storedThrough: number | undefined;
  readonly objects: readonly ArchivedObject[];
  /** Sequences that the stream no longer had, as [first, last] pairs. */
  readonly gaps: readonly (readonly [number, number])[];
}

/**
 * Writes the lines of objects that were put, and moves the position over them, in one transaction.
 * @throws FencedError when the position is not `after` any more: nothing was written.
 */
export function commitObjects(pool: Pool, commit: ArchiveCommit): Promise<void> {
  return transaction(pool, async (client) => {
    const { partition, after, through, storedThrough, objects, gaps } = commit;
    const { rowCount } = await client.query(
      `UPDATE archive_positions SET stream_seq = $3, planned_through = NULL,
         stream_stored_at = to_timestamp($4::float8 / 1000)
       WHERE partition_id = $1 AND stream_seq = $2`,
      [partition, after, through, storedThrough],
    );
    if (rowCount !== 1) throw fenced(partition, `its position is not ${after} any more`);
    for (const object of objects) await insertObject(client, partition, object);
    for (const [first, last] of gaps) {
      await client.query("INSERT INTO archive_gaps (partition_id, first_seq, last_seq) VALUES ($1, $2, $3)", [
        partition,
        first,
        last,
      ]);
    }
  });
}

/**
 * Moves a position back, and writes that down.
 * @returns whether the position still was `from`.
 */
export async function rewindArchive(
  pool: Pool,
  partition: number,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `WITH moved AS (
       UPDATE archive_positions SET stream_seq = $3, planned_through = NULL, stream_stored_at = NULL
       WHERE partition_id = $1 AND stream_seq = $2 RETURNING partition_id
     )
     INSERT INTO archive_rewinds (partition_id, from_seq, to_seq) SELECT partition_id, $2, $3 FROM moved`,
    [partition, from, to],
  );
  return rowCount === 1;
}

async function insertObject(client: Client, partition: number, object: ArchivedObject): Promise<void> {
  await client.query(
    `INSERT INTO archive_objects
       (partition_id, kind, first_seq, last_seq, day, name, batches, rows, bytes, sha256, reason)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     -- Behind a rewind the same batches may make the same object, whose line stands: a name has one content.
     ON CONFLICT (name) DO NOTHING`,
    [
      partition,
      object.kind,
      object.firstSeq,
      object.lastSeq,
      object.day,
      object.name,
      object.batches,
      object.rows,
      object.bytes,
      Buffer.from(object.sha256),
      object.reason ?? null,
    ],
  );
}

function fenced(partition: number, why: string): FencedError {
  return new FencedError(`partition ${partition}: ${why}`);
}
