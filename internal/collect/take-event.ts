import type { BatchBuilder } from "../event/batch-builder.ts";
import { MAX_TIME_MS } from "../event/batch-limits.ts";
import { formatId, hashedId, ID_BYTES, readUuid, uuidV7Time } from "../event/event-id.ts";
import { clockShift } from "../event/event-time.ts";
import { EVENT_FIELDS } from "../event-schema/fields.ts";
import { RejectReason as Reason } from "../gen/footfall/collect/v1/collect_pb.js";
import { AdjustmentKind, type Adjustments } from "./adjustments.ts";
import { type EventFields, signed } from "./event-fields.ts";
import { at } from "./event-shape.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { takeReferrer, takeUrl } from "./take-address.ts";
import { takeItems, takeOrder } from "./take-commerce.ts";
import { isDenied, takeEngagement } from "./take-engagement.ts";
import { takeIp } from "./take-ip.ts";
import { takeProperties } from "./take-properties.ts";
import { plainTexts, takeText } from "./take-text.ts";
import { takeUser, takeVisitor } from "./take-visitor.ts";

/** What is known of a request's events beside their bytes. Times are ms since 1970-01-01 UTC. */
export interface EventContext {
  readonly receivedTime: number;
  /** 0 when the request did not tell. */
  readonly sentTime: number;
  /** Days of event time that the merchant keeps. */
  readonly retentionDays: number;
  /** Whether addresses are truncated to their networks, /24 and /48. */
  readonly truncateIp: boolean;
  /** The merchant's visitor-id key, for ids that could be guessed. */
  readonly visitorKey: Uint8Array;
  /** Taken where an event does not tell; UTF-8, empty where the request does not tell either. */
  readonly defaults: { readonly ip: Uint8Array; readonly userAgent: Uint8Array };
  /** Is told what had to be changed. */
  readonly adjustments: Adjustments;
}

export const NO_DEFAULTS = { ip: new Uint8Array(), userAgent: new Uint8Array() };

/** Checks a part of an event and writes it to the batch's open row. @returns why the event is refused. */
export type Step = (event: EventFields, batch: BatchBuilder, context: EventContext) => Refusal | undefined;

const DAY_MS = 86_400_000;

/** Times further ahead of the collector's clock than this are told to be wrong, ms. */
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

/** Each text of the event that has no step of its own, with its name in messages. */
const TEXTS = plainTexts(EVENT_FIELDS);

const checkName: Step = ({ values }) =>
  values[at.name] === values[at.name + 1] ? refuse(Reason.NAME_MISSING, "name: is missing") : undefined;

const takeTexts: Step = ({ bytes, values }, batch, { defaults, adjustments }) => {
  const isAnonymous = isDenied(values);
  for (const { column, field, limit, mend } of TEXTS) {
    if (isAnonymous && column === "sessionId") continue;
    let source = bytes;
    let start = values[at[column]]!;
    let end = values[at[column] + 1]!;
    if (start === end && column === "userAgent") {
      source = defaults[column];
      start = 0;
      end = source.length;
    }
    const index = takeText(batch, source, start, end, limit);
    batch.texts[column][batch.rows] =
      index >= 0 ? index : mend(batch, adjustments, field, source, start, end, limit);
  }
  return undefined;
};

const takeEventId: Step = ({ bytes, values }, batch, { receivedTime, adjustments }) => {
  const start = values[at.eventId]!;
  const end = values[at.eventId + 1]!;
  const target = batch.rows * ID_BYTES;
  if (start === end) return undefined;
  if (!readUuid(bytes, start, end, batch.eventIds, target)) {
    batch.eventIds.set(hashedId(bytes.subarray(start, end)), target);
    return undefined;
  }
  const time = uuidV7Time(batch.eventIds, target);
  if (time === undefined || time <= receivedTime + MAX_AHEAD_MS) return undefined;
  // Event keys are stored by their times, and kept until these are past the retention: none may lie in years to come.
  const id = formatId(batch.eventIds, target);
  adjustments.add(
    AdjustmentKind.HASHED,
    "event_id",
    `its time ${isoTime(time)} is more than a day ahead: ${id}`,
  );
  batch.eventIds.set(hashedId(id), target);
  return undefined;
};

const takeTimes: Step = ({ values }, batch, { receivedTime, sentTime, retentionDays, adjustments }) => {
  const oldest = receivedTime - retentionDays * DAY_MS;
  const given = values[at.clientTime] === 0 ? receivedTime : clientTime(values);
  const shift = given === receivedTime ? 0 : clockShift(given, sentTime, receivedTime);
  // A correction that leads out of the retention tells that the sending time is wrong: it is as good as absent.
  const isUsed = given + shift >= oldest;
  const ms = isUsed ? given + shift : given;
  if (ms < oldest) {
    return refuse(Reason.TIME_TOO_OLD, `client_time: ${isoTime(ms)} is older than ${retentionDays} days`);
  }
  if (ms > receivedTime + MAX_AHEAD_MS) {
    const message = `${isoTime(ms)} is more than a day ahead, counts as the received time`;
    adjustments.add(AdjustmentKind.REPLACED, "client_time", message);
  }
  // The times are stored as they came: the correction can be done again.
  batch.setTimes(receivedTime, Math.min(given, MAX_TIME_MS), isUsed ? sentTime : 0);
  return undefined;
};

/** Whole ms; beyond all limits for a timestamp that protobuf does not allow. */
function clientTime(values: Int32Array): number {
  return signed(values, at.seconds) * 1_000 + Math.floor(values[at.nanos]! / 1_000_000);
}

const takeScreen: Step = ({ values }, batch, { adjustments }) => {
  if (values[at.screen] === 0) return undefined;
  const width = values[at.width]! >>> 0;
  const height = values[at.height]! >>> 0;
  if (Math.min(width, height) < 1 || Math.max(width, height) > 65_535) {
    adjustments.add(AdjustmentKind.DROPPED, "screen", `${width} x ${height} is outside of 1 to 65,535`);
    return undefined;
  }
  batch.numbers.screenWidth[batch.rows] = width;
  batch.numbers.screenHeight[batch.rows] = height;
  return undefined;
};

const STEPS: readonly Step[] = [
  checkName,
  takeEventId,
  takeTexts,
  takeVisitor,
  takeUser,
  takeUrl,
  takeReferrer,
  takeTimes,
  takeIp,
  takeScreen,
  takeEngagement,
  takeProperties,
  takeOrder,
  takeItems,
];

function isoTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
