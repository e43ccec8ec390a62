import { checkBatch } from "../event/batch-check.ts";
import { type BatchProblem, open } from "../event/seal.ts";
import type { SealedBatch } from "../gen/footfall/event/v1/batch_pb.js";

/** What ingest finds about a batch's bytes. */
export type Judgement =
  | { readonly sealed: SealedBatch; readonly problem?: undefined }
  | { readonly sealed: SealedBatch | undefined; readonly problem: BatchProblem };

/**
 * Checks the bytes of a batch: envelope, checksum, compression, every column. Pure; makes no object per
 * event, and the bytes go on to JetStream as they are.
 */
export function judge(bytes: Uint8Array, partitions: number): Judgement {
  const opened = open(bytes);
  if (opened.problem !== undefined) return opened;
  const { sealed, batch } = opened;
  const problem = checkBatch(sealed, batch, partitions);
  return problem === undefined ? { sealed } : { sealed, problem };
}
