import { checkBatch } from "../event/batch-check.ts";
import { asU32 } from "../event/columns.ts";
import { formatId, ID_BYTES } from "../event/event-id.ts";
import { type BatchProblem, open } from "../event/seal.ts";
import type { EventBatch, SealedBatch } from "../gen/footfall/event/v1/batch_pb.js";
import type { DeadLetterMessage } from "../stream/dead-letter-stream.ts";

/** A refused batch, and what can be read of it now. */
export interface DeadLetterBatch {
  readonly message: DeadLetterMessage;
  /** Undefined when the bytes are no envelope. */
  readonly sealed: SealedBatch | undefined;
  /** Undefined when the payload cannot be opened; it may not have passed the check. */
  readonly batch: EventBatch | undefined;
  /** What the check says now; undefined for a batch that passes. */
  readonly problem: BatchProblem | undefined;
  /** As a UUID is written; undefined without a readable one. */
  readonly batchId: string | undefined;
  /** Events inside, as far as the envelope says. */
  readonly events: number;
  /** Events of each merchant, by its id; empty where they cannot be read. */
  readonly merchants: ReadonlyMap<number, number>;
}

/** Opens and checks a refused batch. Never throws. */
export function readDeadLetter(message: DeadLetterMessage, partitions: number): DeadLetterBatch {
  const { sealed, batch, problem } = open(message.bytes);
  const hasId = sealed !== undefined && sealed.batchId.length === ID_BYTES;
  return {
    message,
    sealed,
    batch,
    problem: problem ?? checkBatch(sealed!, batch!, partitions),
    batchId: hasId ? formatId(sealed.batchId) : message.batchId,
    events: sealed?.rows ?? 0,
    merchants: countMerchants(batch),
  };
}

function countMerchants(batch: EventBatch | undefined): Map<number, number> {
  const counts = new Map<number, number>();
  if (batch === undefined) return counts;
  for (const merchant of asU32(batch.merchantId)) counts.set(merchant, (counts.get(merchant) ?? 0) + 1);
  return counts;
}
