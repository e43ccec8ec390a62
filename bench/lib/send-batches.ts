import { IngestClient } from "../../internal/collect/ingest-client.ts";
import { sealedBytes } from "../../internal/event/seal.ts";
import type { SealedBatch } from "../../internal/gen/footfall/event/v1/batch_pb.js";
import { BatchStatus, type PublishResponse } from "../../internal/gen/footfall/ingest/v1/ingest_pb.js";

/** Batches that wait for their ack at one time. */
const WINDOW = 32;

/**
 * Sends each batch once over one gRPC stream to ingest, and resolves when the last one is acked.
 * @param address host:port of ingest, whose token is "bench".
 * @throws when ingest answers anything but STORED.
 */
export function sendBatches(address: string, batches: readonly SealedBatch[]): Promise<void> {
  const client = new IngestClient(address, "bench");
  return new Promise<void>((resolve, reject) => {
    const stream = client.publish();
    let next = 0;
    let acked = 0;
    const send = () => {
      if (next < batches.length) stream.write(sealedBytes(batches[next++]!));
    };
    stream.on("data", ({ status, message }: PublishResponse) => {
      if (status !== BatchStatus.STORED) reject(new Error(`batch: ${BatchStatus[status]} ${message}`));
      if (++acked === batches.length) stream.end();
      else send();
    });
    stream.on("error", reject);
    stream.on("end", resolve);
    for (let i = 0; i < WINDOW; i++) send();
  }).finally(() => client.close());
}
