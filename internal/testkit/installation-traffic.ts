import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Event } from "../gen/footfall/event/v1/event_pb.js";
import type { Traffic } from "../simulate/traffic.ts";

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
  /** The SDK's id, else the visitor's UTC day. */
  readonly session: string;
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
  const session = sessionId || `${visitor} ${day}`;
  return { merchant, eventId, name, time, revenue: order?.revenueMicros, isBot, visitor, session };
}
