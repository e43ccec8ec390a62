import { create, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { propertyMessage } from "../../event/property-value.ts";
import { EVENT_FIELDS, namesOf, underscored } from "../../event-schema/fields.ts";
import type { PropertyValue } from "../../event-schema/property.ts";
import { RejectReason } from "../../gen/footfall/collect/v1/collect_pb.js";
import {
  Consent,
  EngagementSchema,
  type Event,
  EventSchema,
  type Screen,
  ScreenSchema,
  type Value,
} from "../../gen/footfall/event/v1/event_pb.js";
import { AdjustmentKind, Adjustments } from "../adjustments.ts";
import { MAX_PROPERTY_ENTRIES } from "../event-fields.ts";
import type { ReadEvent } from "../read-event.ts";
import { refuse } from "../refusal.ts";
import { readDecimal } from "./decimal.ts";
import { readItems, readJsonOrder, readRefund } from "./read-commerce.ts";
import { readTime } from "./time.ts";
import {
  fieldOf,
  isAbsent,
  type JsonObject,
  kindOfValue,
  neededText,
  objectOf,
  shownJson,
  textOfValue,
  Unreadable,
  wellFormed,
  wholeOf,
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
    throw new Unreadable(RejectReason.MALFORMED, `event: ${kindOfValue(value)}, must be an object`);
  const event = create(EventSchema);
  event.name = neededText(json.name, "name", adjustments, RejectReason.MALFORMED);
  for (const name of TEXTS) event[name] = textOfValue(fieldOf(json, name), underscored(name), adjustments);
  const clientTime = readClientTime(fieldOf(json, "clientTime"));
  if (clientTime !== undefined) event.clientTime = clientTime;
  const screen = readScreen(json.screen);
  if (screen !== undefined) event.screen = screen;
  if (!isAbsent(json.properties)) readProperties(json.properties, event.properties);
  readEngagement(json, event);
  const order = readJsonOrder(json.order, adjustments);
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

/** Consent by its name or number, whether the event is passive, and how the page was looked at. */
function readEngagement(json: JsonObject, event: Event): void {
  if (!isAbsent(json.consent)) event.consent = consentOf(json.consent);
  if (typeof json.passive === "boolean") event.passive = json.passive;
  else if (!isAbsent(json.passive))
    adjustments.add(AdjustmentKind.DROPPED, "passive", `${kindOfValue(json.passive)}, must be true or false`);
  if (isAbsent(json.engagement) || (Array.isArray(json.engagement) && json.engagement.length === 0)) return;
  const engagement = objectOf(json.engagement);
  if (engagement === undefined) {
    const message = `${kindOfValue(json.engagement)}, must be an object`;
    adjustments.add(AdjustmentKind.DROPPED, "engagement", message);
    return;
  }
  event.engagement = create(EngagementSchema, {
    activeMs: wholeOf(fieldOf(engagement, "activeMs"), "engagement.active_ms", adjustments),
    scrollPercent: wholeOf(fieldOf(engagement, "scrollPercent"), "engagement.scroll_percent", adjustments),
  });
}

const CONSENTS: Readonly<Record<string, Consent>> = {
  CONSENT_UNSPECIFIED: Consent.UNSPECIFIED,
  CONSENT_GRANTED: Consent.GRANTED,
  CONSENT_DENIED: Consent.DENIED,
};

/** Of its name in the .proto file, the last word of that, or its number. */
function consentOf(value: unknown): Consent {
  // Whether a number is one of them is seen where all events are taken.
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 31)
    return value as Consent;
  const name = String(value).trim().toUpperCase();
  const found = CONSENTS[name] ?? CONSENTS[`CONSENT_${name}`];
  if (found === undefined)
    adjustments.add(AdjustmentKind.DROPPED, "consent", `${shownJson(value)} is none of its values`);
  return found ?? Consent.UNSPECIFIED;
}

/** Texts, numbers and booleans are what they are; what is nested is the text of its JSON. */
function readProperties(value: unknown, target: Record<string, Value>): void {
  const properties = objectOf(value);
  if (properties === undefined) {
    const isEmpty = Array.isArray(value) && value.length === 0;
    if (!isEmpty)
      adjustments.add(AdjustmentKind.DROPPED, "properties", `${kindOfValue(value)}, must be an object`);
    return;
  }
  // A few more than are kept, as some may have no value.
  for (const given of Object.keys(properties).slice(0, MAX_PROPERTY_ENTRIES)) {
    const property = properties[given];
    if (property === undefined || property === null) continue;
    const key = wellFormed(given, "properties", adjustments);
    put(target, key, propertyMessage(propertyOf(property, `properties.${key}`)));
  }
}

function propertyOf(value: unknown, field: string): PropertyValue {
  const told = typeof value === "object" ? messageOf(value as JsonObject) : value;
  if (typeof told === "number" || typeof told === "boolean") return told;
  if (typeof told !== "object") return wellFormed(String(told), field, adjustments);
  adjustments.add(AdjustmentKind.REPLACED, field, `${kindOfValue(value)}, stored as the text of its JSON`);
  return JSON.stringify(value);
}

/** What a value's message in JSON holds, as generated clients write it: {"number": 1}; else the value itself. */
function messageOf(value: JsonObject): unknown {
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) return value;
  const [kind, inner] = entry;
  // As protobuf writes what is no number, which is dropped later; and digits that parseJson has kept as text.
  if (kind === "number" && /^(NaN|-?Infinity|-?\d+)$/.test(String(inner))) return Number(inner);
  const type = { text: "string", number: "number", boolean: "boolean" }[kind];
  return typeof inner === type ? inner : value;
}

/** A name such as __proto__ is one like any other. */
function put(target: JsonObject, key: string, value: Value): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
