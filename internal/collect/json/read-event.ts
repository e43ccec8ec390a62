import { create, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { EVENT_FIELDS, namesOf, underscored } from "../../event-schema/fields.ts";
import { RejectReason } from "../../gen/footfall/collect/v1/collect_pb.js";
import { EventSchema, type Screen, ScreenSchema } from "../../gen/footfall/event/v1/event_pb.js";
import { AdjustmentKind, Adjustments } from "../adjustments.ts";
import { MAX_PROPERTY_ENTRIES } from "../event-fields.ts";
import type { ReadEvent } from "../read-event.ts";
import { refuse } from "../refusal.ts";
import { readDecimal } from "./decimal.ts";
import { readItems, readOrder, readRefund } from "./read-commerce.ts";
import { readTime } from "./time.ts";
import {
  fieldOf,
  isAbsent,
  type JsonObject,
  kindOf,
  neededText,
  objectOf,
  shownJson,
  textOf,
  Unreadable,
  wellFormed,
} from "./values.ts";

/** Each optional text of an event. */
const TEXTS = ["eventId", ...namesOf(EVENT_FIELDS, "text").filter((name) => name !== "name")] as const;

/** One event is read at a time. */
const adjustments = new Adjustments();

/**
 * An event in JSON as the bytes that would have come over gRPC, or why there are none. Lenient where the meaning is
 * plain: numbers are taken for text, text for numbers, null and [] for what is absent. Never throws.
 */
export function readJsonEvent(value: unknown): ReadEvent {
  try {
    const bytes = encode(value);
    const adjusted = adjustments.take();
    return adjusted.length === 0 ? bytes : { bytes, adjustments: adjusted };
  } catch (error) {
    adjustments.take();
    if (error instanceof Unreadable) return refuse(error.reason, error.message);
    // What is nested without end.
    return refuse(RejectReason.MALFORMED, `event: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function encode(value: unknown): Uint8Array {
  const json = objectOf(value);
  if (json === undefined)
    throw new Unreadable(RejectReason.MALFORMED, `event: ${kindOf(value)}, must be an object`);
  const event = create(EventSchema);
  event.name = neededText(json.name, "name", adjustments, RejectReason.MALFORMED);
  for (const name of TEXTS) event[name] = textOf(fieldOf(json, name), underscored(name), adjustments);
  const clientTime = readClientTime(fieldOf(json, "clientTime"));
  if (clientTime !== undefined) event.clientTime = clientTime;
  const screen = readScreen(json.screen);
  if (screen !== undefined) event.screen = screen;
  if (!isAbsent(json.properties)) readProperties(json.properties, event.properties);
  const order = readOrder(json.order, adjustments);
  if (order !== undefined) event.order = order;
  const refund = readRefund(json.refund, adjustments);
  if (refund !== undefined) event.refund = refund;
  event.items = readItems(json.items, "items", adjustments);
  return toBinary(EventSchema, event);
}

function readClientTime(value: unknown): Timestamp | undefined {
  if (isAbsent(value)) return undefined;
  const time = readTime(value);
  if (time !== undefined) return create(TimestampSchema, time);
  const problem = `client_time: ${shownJson(value)} is no time with a zone, and no number of seconds or ms since 1970`;
  throw new Unreadable(RejectReason.INVALID_TIME, problem);
}

/** An object with width and height, or a text such as "1920x1080". */
function readScreen(value: unknown): Screen | undefined {
  if (isAbsent(value) || (Array.isArray(value) && value.length === 0)) return undefined;
  const match = typeof value === "string" ? /^\s*([\d.]{1,9})\s*[x×]\s*([\d.]{1,9})\s*$/i.exec(value) : null;
  const { width, height } =
    match === null ? (objectOf(value) ?? { width: "?" }) : { width: match[1], height: match[2] };
  const sides = [width, height].map((side) =>
    isAbsent(side) ? { value: 0n, isExact: true } : readDecimal(side),
  );
  if (sides.some((side) => side === undefined || side.value < 0n || side.value > 0xffff_ffffn)) {
    adjustments.add(AdjustmentKind.DROPPED, "screen", `${shownJson(value)} is no size`);
    return undefined;
  }
  if (sides.some((side) => !side!.isExact)) {
    adjustments.add(AdjustmentKind.ROUNDED, "screen", `${width} x ${height} is no whole number of pixels`);
  }
  return create(ScreenSchema, { width: Number(sides[0]!.value), height: Number(sides[1]!.value) });
}

/** Numbers and booleans are their texts; what is nested is JSON. */
function readProperties(value: unknown, target: Record<string, string>): void {
  const properties = objectOf(value);
  if (properties === undefined) {
    const isEmpty = Array.isArray(value) && value.length === 0;
    if (!isEmpty)
      adjustments.add(AdjustmentKind.DROPPED, "properties", `${kindOf(value)}, must be an object`);
    return;
  }
  // A few more than are kept, as some may have no value.
  for (const given of Object.keys(properties).slice(0, MAX_PROPERTY_ENTRIES)) {
    const property = properties[given];
    if (property === undefined || property === null) continue;
    const key = wellFormed(given, "properties", adjustments);
    put(target, key, propertyText(property, `properties.${key}`));
  }
}

function propertyText(value: unknown, field: string): string {
  if (typeof value !== "object") return wellFormed(String(value), field, adjustments);
  adjustments.add(AdjustmentKind.REPLACED, field, `${kindOf(value)}, stored as the text of its JSON`);
  return JSON.stringify(value);
}

/** A name such as __proto__ is one like any other. */
function put(target: JsonObject, key: string, value: string): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
