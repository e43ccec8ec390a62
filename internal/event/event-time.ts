import { MAX_TIME_MS, MIN_TIME_MS } from "./batch-limits.ts";

/**
 * How far a client's clock may be off before it is corrected, and how far ahead of the collector's an event may
 * be, ms. A request takes some time on its way, which is no error of a clock.
 */
export const CLOCK_TOLERANCE_MS = 5_000;

/**
 * What has to be added to a client's time so that it is right by the collector's clock, ms: the received less the
 * sending time, when they are further apart than clocks and networks explain; else 0. A sending time before the
 * event's own tells nothing: the two were not taken from one clock. All times are ms since 1970-01-01 UTC.
 *
 * @param sent 0 when it is not known.
 */
export function clockShift(client: number, sent: number, received: number): number {
  const shift = received - sent;
  if (sent === 0 || Math.abs(shift) <= CLOCK_TOLERANCE_MS || client > sent + CLOCK_TOLERANCE_MS) return 0;
  // What no batch may hold is not corrected, and no correction leads there.
  return Math.min(client, client + shift) < MIN_TIME_MS || client > MAX_TIME_MS ? 0 : shift;
}

/**
 * When an event happened, as well as it is known: the client's time, corrected; the received time where that is
 * ahead of it and so cannot be right. An event without a client's time has the received one for it.
 */
export function eventTime(client: number, sent: number, received: number): number {
  const time = client === received ? client : client + clockShift(client, sent, received);
  return time > received + CLOCK_TOLERANCE_MS ? received : time;
}
