import { isIP } from "node:net";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { uuidV7Time } from "../../event/event-id.ts";
import { RejectReason as Reason } from "../../gen/footfall/collect/v1/collect_pb.js";
import type { Event } from "../../gen/footfall/event/v1/event_pb.js";
import { type Refusal, refuse, shown } from "../refusal.ts";
import { checkItems, checkOrder } from "./check-commerce.ts";

/** What a check knows beside the event. Times are ms since 1970-01-01 UTC. */
export interface CheckContext {
  readonly receivedTime: number;
  /** Days of event time that the merchant keeps. */
  readonly retentionDays: number;
  /** The event's id as 16 bytes, if it has one. */
  readonly eventId: Uint8Array | undefined;
}

type Check = (event: Event, context: CheckContext) => Refusal | undefined;

const DAY_MS = 86_400_000;

/** How far ahead of the collector's clock an event may be, ms. */
export const MAX_AHEAD_MS = DAY_MS;

/** Each text field, its name as event.proto and messages have it, and its longest value, bytes of UTF-8. */
const TEXTS = [
  ["eventId", "event_id", 64],
  ["name", "name", 64],
  ["visitorId", "visitor_id", 128],
  ["sessionId", "session_id", 128],
  ["url", "url", 4_096],
  ["referrer", "referrer", 4_096],
  ["userAgent", "user_agent", 2_048],
  ["language", "language", 35],
] as const;

/**
 * The rules of event.proto over decoded messages, as they were written before the collector read bytes: the
 * reference that the product is compared with. Checks an event, in the order of the list. @returns why it is refused, or undefined.
 */
export function checkEvent(event: Event, context: CheckContext): Refusal | undefined {
  for (const check of CHECKS) {
    const refusal = check(event, context);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** The problem of a text, or undefined. Most texts are short: three bytes a unit is the most UTF-8 takes. */
export function textProblem(field: string, value: string, limit: number): Refusal | undefined {
  if (value.length * 3 > limit && Buffer.byteLength(value) > limit) {
    const message = `${field}: ${Buffer.byteLength(value)} bytes, at most ${limit}: ${shown(value)}`;
    return refuse(Reason.FIELD_TOO_LONG, message);
  }
  if (value.includes("\0")) return refuse(Reason.INVALID_UTF8, `${field}: holds U+0000: ${shown(value)}`);
  return undefined;
}

const checkName: Check = ({ name }) =>
  name === "" ? refuse(Reason.NAME_MISSING, "name: is missing") : undefined;

const checkTexts: Check = (event) => {
  for (const [key, field, limit] of TEXTS) {
    const found = textProblem(field, event[key], limit);
    if (found !== undefined) return found;
  }
  return undefined;
};

const checkTime: Check = ({ clientTime }, { receivedTime, retentionDays, eventId }) => {
  const ms = clientTime === undefined ? receivedTime : timestampToMs(clientTime);
  const idTime = eventId === undefined ? undefined : uuidV7Time(eventId);
  const latest = receivedTime + MAX_AHEAD_MS;
  if (ms > latest)
    return refuse(Reason.TIME_IN_FUTURE, `client_time: ${isoTime(ms)} is more than a day ahead`);
  if (idTime !== undefined && idTime > latest) {
    return refuse(Reason.TIME_IN_FUTURE, `event_id: its time ${isoTime(idTime)} is more than a day ahead`);
  }
  if (ms < receivedTime - retentionDays * DAY_MS) {
    return refuse(Reason.TIME_TOO_OLD, `client_time: ${isoTime(ms)} is older than ${retentionDays} days`);
  }
  return undefined;
};

const checkUrl: Check = ({ url }) => {
  if (url === "") return undefined;
  const good = /^https?:\/\//i.test(url) && URL.canParse(url);
  return good ? undefined : refuse(Reason.INVALID_URL, `url: not an http or https address: ${shown(url)}`);
};

const checkIp: Check = ({ ip }) =>
  ip === "" || isIP(ip) !== 0 ? undefined : refuse(Reason.INVALID_IP, `ip: not an address: ${shown(ip)}`);

const checkScreen: Check = ({ screen }) => {
  if (screen === undefined) return undefined;
  const { width, height } = screen;
  if (Math.min(width, height) >= 1 && Math.max(width, height) <= 65_535) return undefined;
  return refuse(Reason.INVALID_SCREEN, `screen: ${width} x ${height} is outside of 1 to 65,535`);
};

const checkProperties: Check = ({ properties }) => {
  let count = 0;
  for (const key in properties) {
    if (++count > 64) return refuse(Reason.INVALID_PROPERTIES, "properties: more than 64");
    if (key === "") return refuse(Reason.INVALID_PROPERTIES, "properties: an empty key");
    const found =
      textProblem("properties", key, 64) ?? textProblem(`properties.${key}`, properties[key]!, 1_024);
    if (found !== undefined) return found;
  }
  return undefined;
};

const CHECKS: readonly Check[] = [
  checkName,
  checkTexts,
  checkTime,
  checkUrl,
  checkIp,
  checkScreen,
  checkProperties,
  checkOrder,
  checkItems,
];

/** Whole ms since 1970-01-01 UTC; beyond all limits for a timestamp that protobuf does not allow. */
export function timestampToMs({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
}

function isoTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
