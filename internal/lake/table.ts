import type { PlainColumns } from "../event-schema/plain.ts";

/**
 * Archived events as columns, one value a row: what the batch was, then what the event is. Rows of a batch
 * stand together, in their order. Times are ms since 1970-01-01 UTC, amounts micros, ids 16 bytes.
 */
export interface Table extends PlainColumns {
  readonly batchId: Uint8Array[];
  /** The batch's sequence in its partition's stream: it tells one batch from the next. */
  readonly streamSeq: number[];
  /** When JetStream stored the batch. */
  readonly storedTime: number[];
  /** When the collector closed it. */
  readonly closedTime: number[];
  readonly collectorId: string[];
  /** CRC-32 of the batch's payload as it arrived. */
  readonly batchChecksum: number[];
  /** In a batch's first row: its bytes as they arrived, where the columns do not hold all of it. */
  readonly sealedBatch: (Uint8Array | undefined)[];
}

/** What is known of a batch beside its rows. */
export interface BatchFacts {
  readonly batchId: Uint8Array;
  readonly streamSeq: number;
  readonly storedTime: number;
  readonly closedTime: number;
  readonly collectorId: string;
  readonly batchChecksum: number;
  /** The batch's bytes, where they are kept. */
  readonly sealedBatch: Uint8Array | undefined;
}

/** Appends the facts of a batch to the rows that were appended of it last. */
export function appendFacts(table: Table, facts: BatchFacts, rows: number): void {
  for (let row = 0; row < rows; row++) {
    table.batchId.push(facts.batchId);
    table.streamSeq.push(facts.streamSeq);
    table.storedTime.push(facts.storedTime);
    table.closedTime.push(facts.closedTime);
    table.collectorId.push(facts.collectorId);
    table.batchChecksum.push(facts.batchChecksum);
    table.sealedBatch.push(row === 0 ? facts.sealedBatch : undefined);
  }
}
