import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Event } from "../../internal/gen/footfall/event/v1/event_pb.js";
import type { Traffic } from "../../internal/simulate/traffic.ts";

/** One generated event, as far as counts look at it. */
export interface Generated {
  readonly merchant: number;
  readonly eventId: string;
  readonly name: string;
  /** Ms since 1970-01-01 UTC. */
  readonly time: number;
  /** Micros; undefined without an order. */
  readonly revenue: bigint | undefined;
  /** A crawler, by its own words. */
  readonly isBot: boolean;
  /** Told apart as event.proto says: by the SDK's id, else by truncated address, user agent and UTC day. */
  readonly visitor: string;
  /** The SDK's id; empty where it names none. */
  readonly sessionId: string;
}

/** The same traffic, with every event written down as it is handed out. */
export function recorded(traffic: Traffic): { traffic: Traffic; generated: Generated[] } {
  const generated: Generated[] = [];
  const nextRequest = (nowMs: number) => {
    const request = traffic.nextRequest(nowMs);
    for (const event of request?.events ?? []) generated.push(note(request!.merchant, event));
    return request;
  };
  return { traffic: { shops: traffic.shops, nextRequest }, generated };
}

function note(merchant: number, event: Event): Generated {
  const { eventId, name, clientTime, order, visitorId, sessionId, ip, userAgent } = event;
  const time = timestampMs(clientTime!);
  const day = new Date(time).toISOString().slice(0, 10);
  const visitor = visitorId || `${ip.replace(/\.\d+$/, ".0")} ${userAgent} ${day}`;
  const isBot = /bot|externalhit|python/i.test(userAgent);
  return { merchant, eventId, name, time, revenue: order?.revenueMicros, isBot, visitor, sessionId };
}

/** How many sessions some events of one merchant make: the SDK's, and those that a pause of over 30 minutes ends. */
export function countSessions(events: readonly Generated[]): number {
  const named = new Set(events.flatMap(({ sessionId }) => sessionId || []));
  const visits = Map.groupBy(
    events.filter(({ sessionId }) => sessionId === ""),
    ({ visitor }) => visitor,
  );
  let count = named.size;
  for (const visit of visits.values()) {
    const times = visit.map(({ time }) => time).sort((a, b) => a - b);
    count += times.filter((time, at) => at === 0 || time - times[at - 1]! > 30 * 60_000).length;
  }
  return count;
}
