import { isIP } from "node:net";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { uuidV7Time } from "../../event/event-id.ts";
import { RejectReason as Reason } from "../../gen/footfall/collect/v1/collect_pb.js";
import type { Event, Value } from "../../gen/footfall/event/v1/event_pb.js";
import { isOddCommerce, refuseOrder } from "./check-commerce.ts";

/** What a check knows beside the event. Times are ms since 1970-01-01 UTC. */
export interface CheckContext {
  readonly receivedTime: number;
  /** Days of event time that the merchant keeps. */
  readonly retentionDays: number;
  /** The event's id as 16 bytes, if it has one. */
  readonly eventId: Uint8Array | undefined;
}

const DAY_MS = 86_400_000;

/** Each text field, and its longest value, characters. */
const TEXTS = [
  ["name", 256],
  ["visitorId", 256],
  ["sessionId", 256],
  ["url", 8_192],
  ["referrer", 8_192],
  ["userAgent", 4_096],
  ["language", 256],
  ["userId", 256],
  ["title", 1_024],
  ["sdk", 256],
  ["cartId", 256],
  ["checkoutId", 256],
] as const;

/**
 * The rules of event.proto over decoded messages: the reference that the product is compared with.
 * @returns why the event is refused; "odd": something in it must be changed; undefined: it stays as it is.
 */
export function checkEvent(event: Event, context: CheckContext): Reason | "odd" | undefined {
  const ms = event.clientTime === undefined ? context.receivedTime : timestampToMs(event.clientTime);
  const late = ms < context.receivedTime - context.retentionDays * DAY_MS;
  const reason =
    (event.name === "" ? Reason.NAME_MISSING : undefined) ??
    (late ? Reason.TIME_TOO_OLD : undefined) ??
    refuseOrder(event, context.receivedTime);
  if (reason !== undefined) return reason;
  const latest = context.receivedTime + DAY_MS;
  const idTime = context.eventId === undefined ? undefined : uuidV7Time(context.eventId);
  const isAhead = ms > latest || (idTime !== undefined && idTime > latest);
  const isOdd =
    isAhead ||
    TEXTS.some(([key, limit]) => isKept(event, key) && isOddText(event[key], limit)) ||
    isOddPlace(event) ||
    isOddEngagement(event) ||
    isOddProperties(event) ||
    isOddCommerce(event);
  return isOdd ? "odd" : undefined;
}

/** Who allows no ids, of him none is looked at. */
function isKept({ consent }: Event, key: string): boolean {
  return consent !== 2 || !["visitorId", "sessionId", "userId"].includes(key);
}

export function isOddText(value: string, limit: number): boolean {
  return [...value].length > limit || value.includes("\0");
}

function isOddPlace({ url, ip, screen }: Event): boolean {
  if (url !== "" && !(/^https?:\/\//i.test(url) && URL.canParse(url))) return true;
  if (ip !== "" && isIP(ip) === 0) return true;
  if (screen === undefined) return false;
  const { width, height } = screen;
  return Math.min(width, height) < 1 || Math.max(width, height) > 65_535;
}

function isOddProperties({ properties }: Event): boolean {
  const entries = Object.entries(properties);
  return (
    entries.length > 64 ||
    entries.some(([key, value]) => key === "" || isOddText(key, 256) || isOddValue(value))
  );
}

function isOddValue({ kind }: Value): boolean {
  if (kind.case === undefined) return true;
  if (kind.case === "number") return !Number.isFinite(kind.value);
  return kind.case === "text" && isOddText(kind.value, 2_048);
}

function isOddEngagement({ consent, engagement }: Event): boolean {
  if (consent < 0 || consent > 2) return true;
  return engagement !== undefined && (engagement.activeMs > 86_400_000 || engagement.scrollPercent > 100);
}

/** Whole ms since 1970-01-01 UTC; beyond all limits for a timestamp that protobuf does not allow. */
export function timestampToMs({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000 + Math.floor(nanos / 1_000_000);
}
