import { toBinary } from "@bufbuild/protobuf";
import { RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Event, EventSchema } from "../gen/footfall/event/v1/event_pb.js";
import { type Refusal, refuse } from "./refusal.ts";

/** Largest event, bytes of its binary form. */
export const MAX_EVENT_BYTES = 64 << 10;

/** One event as it came: its bytes, or why there are none. */
export type ReadEvent = Uint8Array | Refusal;

/** An event that is at hand as a message, from JSON or from a log, as the bytes that would have come over gRPC. */
export function encodeEvent(event: Event): ReadEvent {
  try {
    return toBinary(EventSchema, event);
  } catch (error) {
    // JSON lets through half surrogate pairs, and numbers out of range.
    const message = error instanceof Error ? error.message : String(error);
    return /utf-?8|surrogate|URI malformed/i.test(message)
      ? refuse(RejectReason.INVALID_UTF8, "event: a text field is not valid UTF-8")
      : refuse(RejectReason.MALFORMED, `event: ${message}`);
  }
}

/** Why an event of so many bytes is refused, or undefined. */
export function sizeProblem(bytes: number): Refusal | undefined {
  if (bytes <= MAX_EVENT_BYTES) return undefined;
  return refuse(RejectReason.EVENT_TOO_LARGE, `event: ${bytes} bytes, at most ${MAX_EVENT_BYTES}`);
}
