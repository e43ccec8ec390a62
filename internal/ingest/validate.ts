import { checkBatch } from "../event/batch-check.ts";
import { ScratchColumns } from "../event/columns.ts";
import { type BatchProblem, open } from "../event/seal.ts";
import type { SealedBatch } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";

/** What ingest finds about a batch's bytes. */
export type Validation =
  | { readonly sealed: SealedBatch; readonly problem?: undefined }
  | { readonly sealed: SealedBatch | undefined; readonly problem: BatchProblem };

export interface Limits {
  readonly partitions: number;
  /** Largest batch, bytes as it travels. */
  readonly maxBatchBytes: number;
}

/** Of the batch that is being checked: one is, at a time. */
const scratch = new ScratchColumns();
const place = (column: Uint8Array) => scratch.aligned(column);

/**
 * Checks the bytes of a batch: size, envelope, checksum, compression, every column. Pure; makes no object per
 * event, and the bytes go on to JetStream as they are.
 */
export function validate(bytes: Uint8Array, { partitions, maxBatchBytes }: Limits): Validation {
  scratch.clear();
  const opened = open(bytes, place);
  if (bytes.length > maxBatchBytes) {
    const message = `batch: ${bytes.length} bytes, at most ${maxBatchBytes} are taken, and kept`;
    return { sealed: opened.sealed, problem: { reason: BatchRejectReason.MALFORMED, message } };
  }
  if (opened.problem !== undefined) return opened;
  const { sealed, batch } = opened;
  const problem = checkBatch(sealed, batch, partitions);
  return problem === undefined ? { sealed } : { sealed, problem };
}
