import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { MAX_EVENTS } from "./max-events.ts";
import type { ReadEvent } from "./read-event.ts";

/** A request of either form: its events are counted, and not decoded yet. */
export interface CountedRequest {
  readonly sentTime?: Pick<Timestamp, "seconds" | "nanos"> | undefined;
  /** Of a stream's request. */
  readonly sequence: bigint;
  /** Number of events; one more than the most that are taken stands for any number above. */
  readonly count: number;
  /** Decodes an event. */
  readonly read: (index: number) => ReadEvent;
  /** Forgets the events: a request waits much longer for its answer than for being read. */
  readonly forget: () => void;
}

/** Of a larger event every further part of so many bytes counts as one more event. */
const EVENT_BYTES = 1_024;

/** What a message of so many bytes, inflated, counts at least, in events: reading it is work whatever is in it. */
export function weightOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / EVENT_BYTES));
}

export function countProblem(count: number): string | undefined {
  if (count >= 1 && count <= MAX_EVENTS) return undefined;
  return `events: ${count > MAX_EVENTS ? `more than ${MAX_EVENTS}` : count}, must be 1 to ${MAX_EVENTS}`;
}
