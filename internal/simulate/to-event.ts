import type { Event } from "../gen/footfall/event/v1/event_pb.js";
import { uuidV7 } from "./ids.ts";
import type { Random } from "./random.ts";
import type { Happening } from "./visit.ts";

/**
 * The event for what happened, with an id of its own.
 *
 * The message is written as a literal: protobuf-es' create() would take a third of the generator's time.
 * @param timeMs whole milliseconds since 1970, UTC.
 */
export function toEvent(happening: Happening, timeMs: number, ids: Random): Event {
  const { visit } = happening;
  const event: Event = {
    $typeName: "footfall.event.v1.Event",
    eventId: uuidV7(timeMs, ids),
    name: happening.name,
    clientTime: {
      $typeName: "google.protobuf.Timestamp",
      seconds: secondsOf(timeMs),
      nanos: (timeMs % 1_000) * 1_000_000,
    },
    visitorId: visit.visitorId,
    sessionId: visit.sessionId,
    url: happening.url,
    referrer: happening.referrer,
    userAgent: visit.userAgent,
    ip: visit.ip,
    language: visit.language,
    properties: happening.properties,
    items: happening.items,
  };
  if (visit.screen !== undefined) event.screen = visit.screen;
  if (happening.order !== undefined) event.order = happening.order;
  return event;
}

let lastSecond = 0;
let lastSeconds = 0n;

/** Making a bigint is dear, and most events are of the same second as the one before. */
function secondsOf(timeMs: number): bigint {
  const second = Math.floor(timeMs / 1_000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastSeconds = BigInt(second);
  }
  return lastSeconds;
}
