import { isUtf8 } from "node:buffer";
import type { BatchBuilder } from "../event/batch-builder.ts";
import { RejectReason as Reason } from "../gen/footfall/collect/v1/collect_pb.js";
import type { EventFields } from "./event-fields.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { refuseText, takeText, textOf } from "./take-text.ts";

const NOT_UTF8 = "event: a text field is not valid UTF-8";

const MAX_PROPERTIES = 64;
const MAX_KEY = 64;
const MAX_VALUE = 1_024;

/** Where an entry of the map has its key and its value. */
const KEY = 2 * 1;
const VALUE = 2 * 2;

/** The properties of the one event that is being taken: the dictionary's index of each key, and its entry. */
const keys = new Uint32Array(MAX_PROPERTIES);
const offsets = new Uint32Array(MAX_PROPERTIES);

/** Checks an event's properties and writes them to the batch's open row; of a key that is there twice the last counts. */
export function takeProperties(event: EventFields, batch: BatchBuilder): Refusal | undefined {
  let count = 0;
  for (let entry = 0; entry < event.properties.count; entry++) {
    const offset = event.properties.offset(entry);
    const key = takeKey(event, batch, offset);
    if (typeof key === "object") return key;
    const place = placeOf(key, count);
    if (place === MAX_PROPERTIES) return refuse(Reason.INVALID_PROPERTIES, "properties: more than 64");
    if (place === count) count++;
    else if (!isReplaceable(event, offsets[place]!)) return refuse(Reason.INVALID_UTF8, NOT_UTF8);
    keys[place] = key;
    offsets[place] = offset;
  }
  for (let place = 0; place < count; place++) {
    const value = takeValue(event, batch, offsets[place]!);
    if (typeof value === "object") return value;
    batch.properties.append({ row: batch.rows, key: keys[place]!, value });
  }
  return undefined;
}

/** Where a key stands among the first of them, or the place behind. */
function placeOf(key: number, count: number): number {
  let place = 0;
  while (place < count && keys[place] !== key) place++;
  return place;
}

function takeKey(
  { bytes, properties: { values } }: EventFields,
  batch: BatchBuilder,
  offset: number,
): number | Refusal {
  const start = values[offset + KEY]!;
  const end = values[offset + KEY + 1]!;
  if (start === end) return refuse(Reason.INVALID_PROPERTIES, "properties: an empty key");
  const key = takeText(batch, bytes, start, end, MAX_KEY);
  return key < 0 ? refuseText(key, "properties", bytes, start, end, MAX_KEY) : key;
}

function takeValue(
  { bytes, properties: { values } }: EventFields,
  batch: BatchBuilder,
  offset: number,
): number | Refusal {
  const start = values[offset + VALUE]!;
  const end = values[offset + VALUE + 1]!;
  const value = takeText(batch, bytes, start, end, MAX_VALUE);
  if (value >= 0) return value;
  const key = textOf(bytes, values[offset + KEY]!, values[offset + KEY + 1]!);
  return refuseText(value, `properties.${key}`, bytes, start, end, MAX_VALUE);
}

/** A value that a later one replaces must be UTF-8 all the same, as in any protobuf message. */
function isReplaceable({ bytes, properties: { values } }: EventFields, offset: number): boolean {
  return isUtf8(bytes.subarray(values[offset + VALUE]!, values[offset + VALUE + 1]!));
}
