import { checkBatch } from "../event/batch-check.ts";
import { BatchView } from "../event/batch-view.ts";
import { formatId, uuidV7Time } from "../event/event-id.ts";
import { type BatchProblem, open } from "../event/seal.ts";
import type { SealedBatch } from "../gen/footfall/event/v1/batch_pb.js";
import type { BatchWrite } from "../store/write-batches.ts";
import type { StreamBatch } from "../stream/partition-feed.ts";
import { process, type StepContext } from "./steps.ts";
import { toColumns } from "./to-columns.ts";

/** A batch from the stream, read and checked; or what is wrong with it. */
export interface ReadBatch {
  readonly message: StreamBatch;
  readonly sealed: SealedBatch | undefined;
  readonly view: BatchView | undefined;
  readonly problem: BatchProblem | undefined;
}

/** Reads and checks a batch's bytes. Ingest has checked them; disks and networks may have changed them since. */
export function readBatch(message: StreamBatch, partitions: number): ReadBatch {
  const { sealed, batch, problem } = open(message.bytes);
  if (problem !== undefined) return { message, sealed, view: undefined, problem };
  const found = checkBatch(sealed, batch, partitions);
  if (found !== undefined) return { message, sealed, view: undefined, problem: found };
  return { message, sealed, view: new BatchView(sealed.batchId, batch), problem: undefined };
}

/** Merchants of whose currency the steps need to know: those with an order in the batches. */
export function merchantsWithOrders(batches: readonly ReadBatch[]): Set<number> {
  const merchants = new Set<number>();
  for (const { view } of batches) {
    for (const row of view?.order("row") ?? []) merchants.add(view!.merchantIds[row]!);
  }
  return merchants;
}

/** Runs the steps and gives the batch the form in which it is written. */
export function prepare(
  { message, sealed, view }: ReadBatch,
  context: StepContext,
  observe: (step: string, seconds: number) => void,
): BatchWrite | undefined {
  // Without an envelope there is no id to write down: the rejected stream keeps the bytes.
  if (sealed === undefined) return undefined;
  return {
    batchId: formatId(sealed.batchId),
    batchTime: uuidV7Time(sealed.batchId) ?? 0,
    streamSeq: message.seq,
    collectorId: sealed.collectorId,
    checksum: sealed.checksum,
    rows: sealed.rows,
    columns: view && toColumns(view, process(view, context, observe)),
  };
}
