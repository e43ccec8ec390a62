import { toBinary } from "@bufbuild/protobuf";
import { RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Event, EventSchema } from "../gen/footfall/event/v1/event_pb.js";
import type { Adjustment } from "./adjustments.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** One event as it came: its bytes, with what had to be changed for them, or why there are none. */
export type ReadEvent = Uint8Array | AdjustedEvent | Refusal;

export interface AdjustedEvent {
  readonly bytes: Uint8Array;
  readonly adjustments: readonly Adjustment[];
}

/** An event that is at hand as a message, from a log, as the bytes that would have come over gRPC. */
export function encodeEvent(event: Event): ReadEvent {
  try {
    return toBinary(EventSchema, event);
  } catch (error) {
    return refuse(RejectReason.MALFORMED, `event: ${error instanceof Error ? error.message : String(error)}`);
  }
}
