import { Consent, type Engagement, type Event } from "../gen/footfall/event/v1/event_pb.js";
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
    userId: "",
    title: titleOf(happening.url),
    consent: Consent.GRANTED,
    sdk: "simulate/1",
    passive: false,
    cartId: happening.items.length > 0 && happening.name !== "view_item" ? `cart-${visit.sessionId}` : "",
    checkoutId: "",
  };
  if (happening.name === "page_view" && !visit.crawler) event.engagement = engagementOf(timeMs);
  if (visit.screen !== undefined) event.screen = visit.screen;
  if (happening.order !== undefined) event.order = happening.order;
  return event;
}

/** The last part of the page's path, as a title would have it. */
function titleOf(url: string): string {
  const path = url.split("?", 1)[0]!.split("/").slice(3).join("/");
  return path === "" ? "Home" : path.slice(path.lastIndexOf("/") + 1).replaceAll("-", " ");
}

/** How the page before was looked at: up to a minute, by the clock, so that chance is not asked. */
function engagementOf(timeMs: number): Engagement {
  return {
    $typeName: "footfall.event.v1.Engagement",
    activeMs: timeMs % 60_000,
    scrollPercent: 10 + (timeMs % 91),
  };
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
