import { create } from "@bufbuild/protobuf";
import { BatchBuilder } from "../../internal/event/batch-builder.ts";
import { eventIdBytes, formatId } from "../../internal/event/event-id.ts";
import { partitionOf } from "../../internal/event/partition.ts";
import { seal, sealedBytes } from "../../internal/event/seal.ts";
import { type TypedEvent, typed } from "../../internal/event/testing/typed.ts";
import { Codec, type EventBatch, type SealedBatch } from "../../internal/gen/footfall/event/v1/batch_pb.js";
import { EventSchema } from "../../internal/gen/footfall/event/v1/event_pb.js";

/** An event as an SDK would send it. Times are ms since 1970-01-01 UTC. */
export type TestEvent = TypedEvent & {
  readonly merchantId: number;
  readonly time: number;
  /** Default: `time`. */
  readonly receivedTime?: number;
  /** Default: unknown. */
  readonly sentTime?: number;
};

export interface TestBatch {
  /** As a UUID is written. */
  readonly id: string;
  readonly sealed: SealedBatch;
  /** As they travel. */
  readonly bytes: Uint8Array;
}

export interface TestBatchOptions {
  readonly partition: number;
  /** Changes the columns before they are sealed. */
  readonly spoil?: (batch: EventBatch) => unknown;
  /** Changes the envelope afterwards. */
  readonly spoilSealed?: (sealed: SealedBatch) => unknown;
}

/** A batch of events with a new id, as a collector makes it; the name is "page_view" unless told otherwise. */
export function testBatch(
  events: readonly TestEvent[],
  { partition, spoil, spoilSealed }: TestBatchOptions,
): TestBatch {
  const builder = new BatchBuilder(Math.max(1, events.length));
  for (const { merchantId, time, receivedTime = time, sentTime = 0, ...fields } of events) {
    const event = create(EventSchema, typed({ name: "page_view", ...fields }));
    const eventId = event.eventId === "" ? undefined : eventIdBytes(event.eventId);
    builder.add({ merchantId, event, eventId, receivedTime, clientTime: time, sentTime });
  }
  const batch = builder.take();
  spoil?.(batch);
  const sealed = seal(batch, { partition, collectorId: "test", codec: Codec.ZSTD, closedTime: Date.now() });
  spoilSealed?.(sealed);
  return {
    id: sealed.batchId.length === 16 ? formatId(sealed.batchId) : "",
    sealed,
    bytes: sealedBytes(sealed),
  };
}

/** The smallest merchants of a partition. */
export function merchantsOf(partition: number, partitions: number, count: number): number[] {
  const merchants: number[] = [];
  for (let id = 1; merchants.length < count; id++) {
    if (partitionOf(id, partitions) === partition) merchants.push(id);
  }
  return merchants;
}
