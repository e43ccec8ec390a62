import { isIP } from "node:net";
import type { BatchBuilder, TextName } from "../event/batch-builder.ts";
import { eventIdBytes, ID_BYTES, readUuid, uuidV7Time } from "../event/event-id.ts";
import { clockShift } from "../event/event-time.ts";
import { RejectReason as Reason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type EventFields, signed } from "./event-fields.ts";
import { at } from "./event-shape.ts";
import { redact } from "./privacy/redact.ts";
import { truncateIp } from "./privacy/truncate-ip.ts";
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
  /** Whether addresses are truncated to their networks, /24 and /48. */
  readonly truncateIp: boolean;
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

/** Each text column but the address, its name as event.proto and messages have it, and its longest value, bytes of UTF-8. */
const TEXTS: readonly { column: TextName; field: string; limit: number }[] = [
  { column: "name", field: "name", limit: 64 },
  { column: "visitorId", field: "visitor_id", limit: 128 },
  { column: "sessionId", field: "session_id", limit: 128 },
  { column: "url", field: "url", limit: 4_096 },
  { column: "referrer", field: "referrer", limit: 4_096 },
  { column: "userAgent", field: "user_agent", limit: 2_048 },
  { column: "language", field: "language", limit: 35 },
];

const checkName: Step = ({ values }) =>
  values[at.name] === values[at.name + 1] ? refuse(Reason.NAME_MISSING, "name: is missing") : undefined;

const takeTexts: Step = ({ bytes, values }, batch, { defaults }) => {
  for (const { column, field, limit } of TEXTS) {
    let source = bytes;
    let start = values[at[column]]!;
    let end = values[at[column] + 1]!;
    if (start === end && column === "userAgent") {
      source = defaults[column];
      start = 0;
      end = source.length;
    }
    const size = batch.dictionary.size;
    const index = takeText(batch, source, start, end, limit);
    if (index < 0) return refuseText(index, field, source, start, end, limit);
    const isAddress = column === "url" || column === "referrer";
    batch.texts[column][batch.rows] = isAddress ? redacted(batch, index, size) : index;
  }
  return undefined;
};

/** The index of an address without personal data; what is taken out does not stay in the dictionary. */
function redacted(batch: BatchBuilder, index: number, sizeBefore: number): number {
  const { dictionary } = batch;
  let clean = "";
  const isClean = (text: string) => {
    clean = redact(text);
    return clean === text;
  };
  if (isGood(batch, index, Mark.REDACTED, isClean)) return index;
  dictionary.truncate(sizeBefore);
  const bytes = Buffer.from(clean);
  return dictionary.intern(bytes, 0, bytes.length);
}

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
  const oldest = receivedTime - retentionDays * DAY_MS;
  const given = values[at.clientTime] === 0 ? receivedTime : clientTime(values);
  const shift = given === receivedTime ? 0 : clockShift(given, sentTime, receivedTime);
  // A correction that leads out of the retention tells that the sending time is wrong: it is as good as absent.
  const isUsed = given + shift >= oldest;
  const ms = isUsed ? given + shift : given;
  const idTime = uuidV7Time(batch.eventIds, batch.rows * ID_BYTES);
  const latest = receivedTime + MAX_AHEAD_MS;
  if (ms > latest)
    return refuse(Reason.TIME_IN_FUTURE, `client_time: ${isoTime(ms)} is more than a day ahead`);
  if (idTime !== undefined && idTime > latest) {
    return refuse(Reason.TIME_IN_FUTURE, `event_id: its time ${isoTime(idTime)} is more than a day ahead`);
  }
  if (ms < oldest) {
    return refuse(Reason.TIME_TOO_OLD, `client_time: ${isoTime(ms)} is older than ${retentionDays} days`);
  }
  // The times are stored as they came: the correction can be done again.
  batch.setTimes(receivedTime, given, isUsed ? sentTime : 0);
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

/** Room for the text of a truncated address. */
const address = new Uint8Array(64);

const takeIp: Step = ({ bytes, values }, batch, context) => {
  const isGiven = values[at.ip] !== values[at.ip + 1];
  const source = isGiven ? bytes : context.defaults.ip;
  const start = isGiven ? values[at.ip]! : 0;
  const end = isGiven ? values[at.ip + 1]! : source.length;
  if (start === end) return undefined;
  if (context.truncateIp) {
    // The whole address never enters the dictionary.
    const length = truncateIp(source, start, end, address);
    batch.texts.ip[batch.rows] = batch.dictionary.intern(address, 0, length);
    return length > 0 ? undefined : refuseIp(source, start, end);
  }
  // Its form is the limit.
  const index = takeText(batch, source, start, end, Number.POSITIVE_INFINITY);
  if (index < 0) return refuseIp(source, start, end);
  batch.texts.ip[batch.rows] = index;
  return isGood(batch, index, Mark.ADDRESS, (text) => isIP(text) !== 0)
    ? undefined
    : refuseIp(source, start, end);
};

function refuseIp(source: Uint8Array, start: number, end: number): Refusal {
  const problem = textProblem(source, start, end, Number.POSITIVE_INFINITY);
  if (problem !== 0) return refuseText(problem, "ip", source, start, end, Number.POSITIVE_INFINITY);
  return refuse(Reason.INVALID_IP, `ip: not an address: ${shown(textOf(source, start, end))}`);
}

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
  takeIp,
  takeScreen,
  takeProperties,
  takeOrder,
  takeItems,
];

function isoTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
