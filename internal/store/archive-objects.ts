import type { ArchivedObject } from "./archive-positions.ts";
import type { Pool } from "./pool.ts";

/** Which part of the archive: UTC days on which batches were stored, both included. */
export interface ArchiveDays {
  /** As 2026-11-23; undefined for the first there is. */
  readonly from: string | undefined;
  /** Undefined for the last there is. */
  readonly to: string | undefined;
}

export interface LedgerObject extends ArchivedObject {
  readonly partition: number;
}

interface Row {
  readonly partition_id: number;
  readonly kind: "events" | "dead_letter";
  readonly first_seq: string;
  readonly last_seq: string;
  readonly day: string;
  readonly name: string;
  readonly batches: number;
  readonly rows: string;
  readonly bytes: string;
  readonly sha256: Buffer;
  readonly reason: string | null;
}

/** The objects of some days, in the order of partition and stream: the only list that a reader should go by. */
export async function listObjects(pool: Pool, { from, to }: ArchiveDays): Promise<LedgerObject[]> {
  const { rows } = await pool.query<Row>(
    `SELECT partition_id, kind, first_seq, last_seq, day::text AS day, name, batches, rows, bytes, sha256, reason
     FROM archive_objects
     WHERE day >= coalesce($1::date, '-infinity') AND day <= coalesce($2::date, 'infinity')
     ORDER BY partition_id, first_seq, kind`,
    [from, to],
  );
  return rows.map((row) => ({
    partition: row.partition_id,
    kind: row.kind,
    firstSeq: Number(row.first_seq),
    lastSeq: Number(row.last_seq),
    day: row.day,
    name: row.name,
    batches: row.batches,
    rows: Number(row.rows),
    bytes: Number(row.bytes),
    sha256: row.sha256,
    reason: row.reason ?? undefined,
  }));
}

/** A range of sequences of a partition. */
export interface SequenceRange {
  readonly partition: number;
  readonly first: number;
  readonly last: number;
}

/** Sequences up to the position that neither an object nor a gap accounts for: there should be none. */
export async function unaccounted(pool: Pool): Promise<SequenceRange[]> {
  const { rows } = await pool.query<{ partition_id: number; first: string; last: string }>(
    `WITH known AS (
       SELECT partition_id, first_seq, last_seq FROM archive_objects
       UNION ALL SELECT partition_id, first_seq, last_seq FROM archive_gaps
       UNION ALL SELECT partition_id, stream_seq + 1, stream_seq + 1 FROM archive_positions
     ), reached AS (
       SELECT partition_id, first_seq, coalesce(max(last_seq) OVER (
         PARTITION BY partition_id ORDER BY first_seq, last_seq
         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
       FROM known)
     SELECT partition_id, before + 1 AS first, first_seq - 1 AS last FROM reached
     WHERE first_seq > before + 1 ORDER BY 1, 2`,
  );
  return rows.map((row) => ({
    partition: row.partition_id,
    first: Number(row.first),
    last: Number(row.last),
  }));
}
