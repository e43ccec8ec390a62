import type { EventColumns } from "./event-columns.ts";
import type { Client } from "./pool.ts";

/** A batch to be written. */
export interface BatchWrite {
  /** As a UUID is written. */
  readonly batchId: string;
  /** The time inside the batch id, ms since 1970-01-01 UTC. */
  readonly batchTime: number;
  readonly streamSeq: number;
  readonly collectorId: string;
  readonly checksum: number;
  readonly rows: number;
  /** Undefined for a batch that could not be processed: its ledger line counts all rows as dead-lettered. */
  readonly columns: EventColumns | undefined;
}

/**
 * The batches that the ledger does not know; of two copies in one commit, the first that could be processed. A
 * batch that could not be does not stand in the way of a good copy of it.
 */
export async function notInLedger(client: Client, batches: readonly BatchWrite[]): Promise<BatchWrite[]> {
  const unique = new Map<string, BatchWrite>();
  for (const batch of batches) {
    const first = unique.get(batch.batchId);
    if (first === undefined || first.columns === undefined) unique.set(batch.batchId, batch);
  }
  const fresh = [...unique.values()];
  const { rows } = await client.query<{ batch_id: string }>(
    `SELECT l.batch_id FROM unnest($1::uuid[], $2::float8[]) AS b (id, time_ms)
     JOIN batch_ledger l ON l.batch_id = b.id AND l.batch_time = to_timestamp(b.time_ms / 1000)
     WHERE l.dead_lettered = 0`,
    [fresh.map(({ batchId }) => batchId), fresh.map(({ batchTime }) => batchTime)],
  );
  const known = new Set(rows.map((row) => row.batch_id));
  return fresh.filter(({ batchId }) => !known.has(batchId));
}

/** What was found out about a batch's rows. */
interface Counted {
  /** 1 for each row that is not written. */
  readonly duplicates: Uint8Array;
  /** How many of those are not written because of an erasure. */
  readonly erased: number;
}

export interface LedgerLine extends BatchWrite {
  readonly stored: number;
  readonly duplicates: number;
  readonly deadLettered: number;
  readonly erased: number;
}

export function ledgerLine(batch: BatchWrite, claims: ReadonlyMap<EventColumns, Counted>): LedgerLine {
  if (batch.columns === undefined)
    return { ...batch, stored: 0, duplicates: 0, deadLettered: batch.rows, erased: 0 };
  const { duplicates, erased } = claims.get(batch.columns)!;
  const left = count(duplicates);
  return { ...batch, stored: batch.rows - left, duplicates: left - erased, deadLettered: 0, erased };
}

export async function insertLedger(
  client: Client,
  partition: number,
  lines: readonly LedgerLine[],
): Promise<void> {
  if (lines.length === 0) return;
  await client.query(
    `INSERT INTO batch_ledger (partition_id, batch_id, batch_time, stream_seq, collector_id, rows, stored,
       duplicates, dead_lettered, erased, checksum)
     SELECT $1, id, to_timestamp(time_ms / 1000), seq, collector, rows, stored, duplicates, dead_lettered, erased, checksum
     FROM unnest($2::uuid[], $3::float8[], $4::bigint[], $5::text[], $6::integer[], $7::integer[],
       $8::integer[], $9::integer[], $10::integer[], $11::bigint[])
       AS l (id, time_ms, seq, collector, rows, stored, duplicates, dead_lettered, erased, checksum)
     ON CONFLICT (batch_id, batch_time) DO UPDATE SET stream_seq = excluded.stream_seq, stored = excluded.stored,
       duplicates = excluded.duplicates, dead_lettered = excluded.dead_lettered, erased = excluded.erased, committed_at = excluded.committed_at`,
    [
      partition,
      lines.map((line) => line.batchId),
      lines.map((line) => line.batchTime),
      lines.map((line) => line.streamSeq),
      lines.map((line) => line.collectorId),
      lines.map((line) => line.rows),
      lines.map((line) => line.stored),
      lines.map((line) => line.duplicates),
      lines.map((line) => line.deadLettered),
      lines.map((line) => line.erased),
      lines.map((line) => line.checksum),
    ],
  );
}

function count(flags: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < flags.length; i++) total += flags[i]!;
  return total;
}
