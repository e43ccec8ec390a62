import { BatchBuilder, type Row } from "../../internal/event/batch-builder.ts";
import { partitionOf } from "../../internal/event/partition.ts";
import { seal } from "../../internal/event/seal.ts";
import { Codec, type EventBatch, type SealedBatch } from "../../internal/gen/footfall/event/v1/batch_pb.js";

/** Batches of rows, each of one partition, in the order in which they fill. */
export function batchesOf(
  rows: readonly Row[],
  { partitions, size, codec = Codec.NONE }: { partitions: number; size: number; codec?: Codec },
): { sealed: SealedBatch; batch: EventBatch }[] {
  const builders = Array.from({ length: partitions }, () => new BatchBuilder(size));
  const result: { sealed: SealedBatch; batch: EventBatch }[] = [];
  const close = (partition: number) => {
    const batch = builders[partition]!.take();
    const options = { partition, collectorId: "bench", codec, closedTime: Date.now() };
    result.push({ sealed: seal(batch, options), batch });
  };
  for (const row of rows) {
    const partition = partitionOf(row.merchantId, partitions);
    builders[partition]!.add(row);
    if (builders[partition]!.rows === size) close(partition);
  }
  for (let p = 0; p < partitions; p++) if (builders[p]!.rows > 0) close(p);
  return result;
}
