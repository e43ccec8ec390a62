import type { Row } from "../../internal/event/batch-builder.ts";
import { eventIdBytes } from "../../internal/event/event-id.ts";
import type { Event } from "../../internal/gen/footfall/event/v1/event_pb.js";
import { liveTraffic } from "../../internal/simulate/traffic.ts";

/** Events of simulated shops as an aggregator's partition sees them: a few hundred merchants, long-tailed. */
export function shopRows(count: number, merchants: number, seed = 1): Row[] {
  const traffic = liveTraffic({ seed, merchants, batch: 500, run: 1 });
  const now = Date.now();
  const rows: Row[] = [];
  while (rows.length < count) {
    const request = traffic.nextRequest(now);
    if (request === undefined) break;
    for (const event of request.events) rows.push(toRow(event, request.merchant + 1, now));
  }
  return rows.slice(0, count);
}

export function toRow(event: Event, merchantId: number, now: number): Row {
  const clientTime = event.clientTime === undefined ? now : Number(event.clientTime.seconds) * 1_000;
  return {
    merchantId,
    event,
    eventId: event.eventId === "" ? undefined : eventIdBytes(event.eventId),
    receivedTime: now,
    clientTime,
    sentTime: now,
  };
}
