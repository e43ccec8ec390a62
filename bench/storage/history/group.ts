import { BatchBuilder } from "../../../internal/event/batch-builder.ts";
import { eventIdBytes, ID_BYTES, readUuid } from "../../../internal/event/event-id.ts";
import { partitionOf } from "../../../internal/event/partition.ts";
import type { EventBatch } from "../../../internal/gen/footfall/event/v1/batch_pb.js";
import type { Event } from "../../../internal/gen/footfall/event/v1/event_pb.js";
import { historyTraffic } from "../../../internal/simulate/traffic.ts";

/** What is generated; the same for the same options. */
export interface HistoryOptions {
  readonly seed: number;
  readonly events: number;
  readonly merchants: number;
  /** Span of the events' times, ms since 1970-01-01 UTC. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly partitions: number;
  /** Events of a batch at most. */
  readonly batchRows: number;
  /** Events of a group at least, but of the last one. */
  readonly groupEvents: number;
}

/** Events that are committed together. */
export interface Group {
  /** In the order in which they filled. */
  readonly batches: readonly { readonly partition: number; readonly batch: EventBatch }[];
  /** 0: history is over. */
  readonly events: number;
  /** Every event before this time, ms, is in this group or an earlier one; Infinity in the last one. */
  readonly completeBefore: number;
}

/** @returns what gives group after group of simulated history, in roughly the order of time. */
export function historyGroups(options: HistoryOptions): () => Group {
  const { partitions, batchRows, groupEvents } = options;
  const traffic = historyTraffic({ ...options, batch: 500 });
  const builders = Array.from({ length: partitions }, () => new BatchBuilder(batchRows));
  return () => {
    const batches: { partition: number; batch: EventBatch }[] = [];
    const close = (partition: number) => batches.push({ partition, batch: builders[partition]!.take() });
    let events = 0;
    while (events < groupEvents) {
      const request = traffic.nextRequest(0);
      if (request === undefined) break;
      events += request.events.length;
      const merchantId = request.merchant + 1;
      const partition = partitionOf(merchantId, partitions);
      const builder = builders[partition]!;
      for (const event of request.events) {
        add(builder, merchantId, event);
        if (builder.rows === batchRows) close(partition);
      }
    }
    for (const [partition, { rows }] of builders.entries()) if (rows > 0) close(partition);
    return { batches, events, completeBefore: traffic.completeBefore() };
  };
}

const idText = Buffer.alloc(36);

/** As a collector would take it at the moment when it happened; the client tells whole seconds. */
function add(builder: BatchBuilder, merchantId: number, event: Event): void {
  const { seconds, nanos } = event.clientTime!;
  const clientTime = Number(seconds) * 1_000;
  const now = clientTime + nanos / 1e6;
  const length = idText.write(event.eventId, "latin1");
  const isRead = readUuid(idText, 0, length, builder.eventIds, builder.rows * ID_BYTES);
  const eventId = isRead ? undefined : eventIdBytes(event.eventId);
  builder.add({ merchantId, event, eventId, receivedTime: now, clientTime, sentTime: now });
}
