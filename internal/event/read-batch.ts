import type { SealedBatch } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { checkBatch } from "./batch-check.ts";
import { BatchView } from "./batch-view.ts";
import { type BatchProblem, open } from "./seal.ts";

/** A batch that may be read without further checks; or what is wrong with its bytes. */
export type CheckedBatch =
  | {
      readonly sealed: SealedBatch;
      readonly view: BatchView;
      /** Whether it has fields that this program does not know. */
      readonly hasUnknown: boolean;
      readonly problem?: undefined;
    }
  | {
      /** The envelope, unchecked; undefined where the bytes hold none. */
      readonly sealed: SealedBatch | undefined;
      readonly view?: undefined;
      readonly problem: BatchProblem;
    };

/**
 * Opens and checks the bytes of a batch from a partition's stream. Ingest has checked them; disks and networks may have
 * changed them since.
 * @param partition the one whose stream it came from.
 */
export function readCheckedBatch(bytes: Uint8Array, partition: number, partitions: number): CheckedBatch {
  const { sealed, batch, problem } = open(bytes);
  if (problem !== undefined) return { sealed, problem };
  const found = checkBatch(sealed, batch, partitions);
  if (found !== undefined) return { sealed, problem: found };
  if (sealed.partition !== partition) {
    const message = `partition: ${sealed.partition}, in the stream of ${partition}`;
    return { sealed, problem: { reason: BatchRejectReason.PARTITION, message } };
  }
  const messages = [sealed, batch, batch.properties, batch.orders, batch.items];
  const hasUnknown = messages.some((message) => (message?.$unknown?.length ?? 0) > 0);
  return { sealed, view: new BatchView(sealed.batchId, batch), hasUnknown };
}
