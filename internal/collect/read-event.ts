import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { RejectReason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Event, EventSchema } from "../gen/footfall/event/v1/event_pb.js";
import { refuse } from "./refusal.ts";
import type { ReadEvent } from "./send.ts";

/** Largest event, bytes of its binary form. */
export const MAX_EVENT_BYTES = 64 << 10;

/** What is taken from the request where an event does not tell; empty where the request does not either. */
export interface Defaults {
  readonly ip: string;
  readonly userAgent: string;
}

/** Reads one event of a binary request. */
export function readFrame(bytes: Uint8Array, defaults: Defaults): ReadEvent {
  const large = sizeProblem(bytes.length);
  if (large !== undefined) return large;
  try {
    return withDefaults(fromBinary(EventSchema, bytes), defaults);
  } catch (error) {
    return { refusal: unreadable(error) };
  }
}

/** Reads one event of a JSON request, which Connect has parsed. */
export function readMessage(event: Event, defaults: Defaults): ReadEvent {
  try {
    // Encoding finds what JSON lets through: half surrogate pairs, numbers out of range.
    return sizeProblem(toBinary(EventSchema, event).length) ?? withDefaults(event, defaults);
  } catch (error) {
    return { refusal: unreadable(error) };
  }
}

function withDefaults(event: Event, { ip, userAgent }: Defaults): ReadEvent {
  event.ip ||= ip;
  event.userAgent ||= userAgent;
  return { event };
}

function sizeProblem(bytes: number): ReadEvent | undefined {
  if (bytes <= MAX_EVENT_BYTES) return undefined;
  return {
    refusal: refuse(RejectReason.EVENT_TOO_LARGE, `event: ${bytes} bytes, at most ${MAX_EVENT_BYTES}`),
  };
}

function unreadable(error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  // The text decoder's and encoder's own words; other errors are of the message's structure.
  const isText = /utf-?8|encoded data was not valid|surrogate|URI malformed/i.test(message);
  const reason = isText ? RejectReason.INVALID_UTF8 : RejectReason.MALFORMED;
  return refuse(reason, isText ? "event: a text field is not valid UTF-8" : `event: ${message}`);
}
