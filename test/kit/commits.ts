import { randomUUIDv7 } from "node:crypto";
import type { BatchWrite } from "../../internal/store/ledger.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { type Commit, type Committed, commitBatches } from "../../internal/store/write-batches.ts";
import { type EventRow, eventColumns } from "./columns.ts";

/** A batch of rows as storage takes it, with a new id. */
export function batchOf(rows: readonly EventRow[], fields: Partial<BatchWrite> = {}): BatchWrite {
  const batchId = randomUUIDv7();
  return {
    batchId,
    batchTime: Number.parseInt(batchId.replaceAll("-", "").slice(0, 12), 16),
    streamSeq: 1,
    collectorId: "test",
    checksum: 7,
    rows: rows.length,
    columns: eventColumns(rows),
    ...fields,
  };
}

/** Commits batches to a partition behind its position, wherever that is, one sequence a batch. */
export async function commitNext(
  pool: Pool,
  batches: readonly BatchWrite[],
  fields: Partial<Commit> = {},
): Promise<Committed> {
  const partition = fields.partition ?? 0;
  const { rows } = await pool.query<{ seq: string }>(
    "SELECT stream_seq AS seq FROM partitions WHERE partition_id = $1",
    [partition],
  );
  const after = Number(rows[0]!.seq);
  return commitBatches(pool, {
    partition,
    after,
    through: after + batches.length,
    storedThrough: Date.UTC(2026, 2, 1),
    batches: batches.map((batch, at) => ({ ...batch, streamSeq: after + at + 1 })),
    gaps: [],
    ...fields,
  });
}
