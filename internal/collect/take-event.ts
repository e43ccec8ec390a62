import { isIP } from "node:net";
import type { BatchBuilder, TextName } from "../event/batch-builder.ts";
import { eventIdBytes, ID_BYTES, readUuid, uuidV7Time } from "../event/event-id.ts";
import { RejectReason as Reason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type EventFields, signed } from "./event-fields.ts";
import { at } from "./event-shape.ts";
import { type Refusal, refuse, shown } from "./refusal.ts";
import { takeItems, takeOrder } from "./take-commerce.ts";
import { takeProperties } from "./take-properties.ts";
import { isGood, Mark, refuseText, takeText, textOf, textProblem } from "./take-text.ts";

/** What is known of a request's events beside their bytes. Times are ms since 1970-01-01 UTC. */
export interface EventContext {
  readonly receivedTime: number;
  /** 0 when the request did not tell. */
  readonly sentTime: number;
  /** Days of event time that the merchant keeps. */
  readonly retentionDays: number;
  /** Taken where an event does not tell; UTF-8, empty where the request does not tell either. */
  readonly defaults: { readonly ip: Uint8Array; readonly userAgent: Uint8Array };
}

export const NO_DEFAULTS = { ip: new Uint8Array(), userAgent: new Uint8Array() };

/** Checks a part of an event and writes it to the batch's open row. @returns why the event is refused. */
export type Step = (event: EventFields, batch: BatchBuilder, context: EventContext) => Refusal | undefined;

const DAY_MS = 86_400_000;

/** How far ahead of the collector's clock an event may be, ms. */
const MAX_AHEAD_MS = DAY_MS;

/**
 * Writes an event to the batch's open row, in the order of the list.
 * @returns why it is refused, or undefined; the row must be discarded or committed by the caller.
 */
export function takeEvent(
  event: EventFields,
  batch: BatchBuilder,
  context: EventContext,
): Refusal | undefined {
  for (const step of STEPS) {
    const refusal = step(event, batch, context);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Each text column, its name as event.proto and messages have it, and its longest value, bytes of UTF-8. */
const TEXTS: readonly { column: TextName; field: string; limit: number }[] = [
  { column: "name", field: "name", limit: 64 },
  { column: "visitorId", field: "visitor_id", limit: 128 },
  { column: "sessionId", field: "session_id", limit: 128 },
  { column: "url", field: "url", limit: 4_096 },
  { column: "referrer", field: "referrer", limit: 4_096 },
  { column: "userAgent", field: "user_agent", limit: 2_048 },
  // Its form is the limit.
  { column: "ip", field: "ip", limit: Number.POSITIVE_INFINITY },
  { column: "language", field: "language", limit: 35 },
];

const checkName: Step = ({ values }) =>
  values[at.name] === values[at.name + 1] ? refuse(Reason.NAME_MISSING, "name: is missing") : undefined;

const takeTexts: Step = ({ bytes, values }, batch, { defaults }) => {
  for (const { column, field, limit } of TEXTS) {
    let source = bytes;
    let start = values[at[column]]!;
    let end = values[at[column] + 1]!;
    if (start === end && (column === "ip" || column === "userAgent")) {
      source = defaults[column];
      start = 0;
      end = source.length;
    }
    const index = takeText(batch, source, start, end, limit);
    if (index < 0) return refuseText(index, field, source, start, end, limit);
    batch.texts[column][batch.rows] = index;
  }
  return undefined;
};

const takeEventId: Step = ({ bytes, values }, batch) => {
  const start = values[at.eventId]!;
  const end = values[at.eventId + 1]!;
  const target = batch.rows * ID_BYTES;
  if (start === end || readUuid(bytes, start, end, batch.eventIds, target)) return undefined;
  const problem = textProblem(bytes, start, end, 64);
  if (problem !== 0) return refuseText(problem, "event_id", bytes, start, end, 64);
  batch.eventIds.set(eventIdBytes(textOf(bytes, start, end)), target);
  return undefined;
};

const takeTimes: Step = ({ values }, batch, { receivedTime, sentTime, retentionDays }) => {
  const ms = values[at.clientTime] === 0 ? receivedTime : clientTime(values);
  const idTime = uuidV7Time(batch.eventIds, batch.rows * ID_BYTES);
  const latest = receivedTime + MAX_AHEAD_MS;
  if (ms > latest)
    return refuse(Reason.TIME_IN_FUTURE, `client_time: ${isoTime(ms)} is more than a day ahead`);
  if (idTime !== undefined && idTime > latest) {
    return refuse(Reason.TIME_IN_FUTURE, `event_id: its time ${isoTime(idTime)} is more than a day ahead`);
  }
  if (ms < receivedTime - retentionDays * DAY_MS) {
    return refuse(Reason.TIME_TOO_OLD, `client_time: ${isoTime(ms)} is older than ${retentionDays} days`);
  }
  batch.setTimes(receivedTime, ms, sentTime);
  return undefined;
};

/** Whole ms; beyond all limits for a timestamp that protobuf does not allow. */
function clientTime(values: Int32Array): number {
  return signed(values, at.seconds) * 1_000 + Math.floor(values[at.nanos]! / 1_000_000);
}

const checkUrl: Step = (_, batch) => {
  const index = batch.texts.url[batch.rows]!;
  if (isGood(batch, index, Mark.WEB_ADDRESS, isWebAddress)) return undefined;
  const text = shown(batch.dictionary.text(index));
  return refuse(Reason.INVALID_URL, `url: not an http or https address: ${text}`);
};

function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

const checkIp: Step = (_, batch) => {
  const index = batch.texts.ip[batch.rows]!;
  if (isGood(batch, index, Mark.ADDRESS, (text) => isIP(text) !== 0)) return undefined;
  return refuse(Reason.INVALID_IP, `ip: not an address: ${shown(batch.dictionary.text(index))}`);
};

const takeScreen: Step = ({ values }, batch) => {
  if (values[at.screen] === 0) return undefined;
  const width = values[at.width]! >>> 0;
  const height = values[at.height]! >>> 0;
  if (Math.min(width, height) < 1 || Math.max(width, height) > 65_535) {
    return refuse(Reason.INVALID_SCREEN, `screen: ${width} x ${height} is outside of 1 to 65,535`);
  }
  batch.screenWidth[batch.rows] = width;
  batch.screenHeight[batch.rows] = height;
  return undefined;
};

const STEPS: readonly Step[] = [
  checkName,
  takeEventId,
  takeTexts,
  takeTimes,
  checkUrl,
  checkIp,
  takeScreen,
  takeProperties,
  takeOrder,
  takeItems,
];

function isoTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
