import { MAX_ROWS } from "../event/batch-limits.ts";
import type { BatchView } from "../event/batch-view.ts";
import { formatId, ID_BYTES, uuidV7Time } from "../event/event-id.ts";
import { readCheckedBatch } from "../event/read-batch.ts";
import { type BatchProblem, open } from "../event/seal.ts";
import type { SealedBatch } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { EventColumns } from "../store/event-columns.ts";
import type { BatchWrite } from "../store/ledger.ts";
import type { StreamBatch } from "../stream/partition-feed.ts";
import { process } from "./steps/process.ts";
import type { Step, StepContext } from "./steps/step.ts";
import { toColumns } from "./to-columns.ts";

/** A batch from the stream, read and checked; or what is wrong with it. */
export interface ReadBatch {
  readonly message: StreamBatch;
  /** Undefined when the envelope holds nothing that a ledger line could be made of. */
  readonly sealed: SealedBatch | undefined;
  readonly view: BatchView | undefined;
  readonly problem: BatchProblem | undefined;
  /** Where the code stood when it failed on the batch. */
  readonly stack?: string | undefined;
}

/** A step failed on a batch: the batch or the code is at fault, not a part that is away. */
export class ProcessingError extends Error {
  override readonly name = "ProcessingError";
}

/**
 * Reads and checks a batch's bytes.
 * @param partition the one whose stream it came from.
 */
export function readBatch(message: StreamBatch, partition: number, partitions: number): ReadBatch {
  try {
    const { sealed, view, problem } = readCheckedBatch(message.bytes, partition, partitions);
    if (problem !== undefined) return deadLetterOf(message, partition, sealed, problem);
    return { message, sealed, view, problem };
  } catch (error) {
    const { problem, stack } = faultOf(error);
    return { ...deadLetterOf(message, partition, open(message.bytes).sealed, problem), stack };
  }
}

/** What is written down of an error that a batch is at fault for. */
export function faultOf(error: unknown): { problem: BatchProblem; stack: string | undefined } {
  const origin = error instanceof ProcessingError ? error.cause : error;
  const { name, message, stack } = origin instanceof Error ? origin : new Error(String(origin));
  const code = "code" in Object(origin) ? ` (${(origin as { code: unknown }).code})` : "";
  const reason = BatchRejectReason.PROCESSING_FAILED;
  return { problem: { reason, message: `${name}${code}: ${message}` }, stack };
}

function deadLetterOf(
  message: StreamBatch,
  partition: number,
  sealed: SealedBatch | undefined,
  problem: BatchProblem,
): ReadBatch {
  // The envelope was not checked either: what it says may not fit into the ledger, or into this partition's.
  const fits =
    sealed !== undefined &&
    sealed.batchId.length === ID_BYTES &&
    sealed.rows <= MAX_ROWS &&
    sealed.partition === partition;
  return { message, sealed: fits ? sealed : undefined, view: undefined, problem };
}

export interface PrepareOptions {
  readonly context: StepContext;
  readonly steps: readonly Step[];
  /** Is told how long each step took, seconds. */
  readonly observe: (step: string, seconds: number) => void;
}

/**
 * Runs the steps and gives the batch the form in which it is written.
 * @throws ProcessingError when a step fails.
 */
export function prepare(
  { message, sealed, view }: ReadBatch,
  options: PrepareOptions,
): BatchWrite | undefined {
  // Without an envelope there is no id to write down: the dead-letter stream keeps the bytes.
  if (sealed === undefined) return undefined;
  return {
    batchId: formatId(sealed.batchId),
    batchTime: uuidV7Time(sealed.batchId) ?? 0,
    streamSeq: message.seq,
    // Of a dead letter, which no check has let through: PostgreSQL's text cannot hold U+0000.
    collectorId: sealed.collectorId.replaceAll("\0", "\ufffd"),
    checksum: sealed.checksum,
    rows: sealed.rows,
    columns: view && runSteps(view, options),
  };
}

function runSteps(view: BatchView, { context, steps, observe }: PrepareOptions): EventColumns {
  try {
    return toColumns(view, process(view, context, observe, steps), context.rollupStarts);
  } catch (cause) {
    throw new ProcessingError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
