import type { BatchBuilder } from "../event/batch-builder.ts";
import { bigintOf } from "../event/columns.ts";
import { PropertyKind } from "../event-schema/property.ts";
import { AdjustmentKind, type Adjustments } from "./adjustments.ts";
import type { EventFields } from "./event-fields.ts";
import { Value } from "./event-shape.ts";
import { isPersonalKey } from "./privacy/parameter-names.ts";
import { REDACTED } from "./privacy/redact.ts";
import type { EventContext } from "./take-event.ts";
import { intern, isGood, Mark, mendText, takeText } from "./take-text.ts";

/** Most entries, and longest keys and values, characters. */
const MAX_PROPERTIES = 64;
const MAX_KEY = 256;
const MAX_VALUE = 2_048;

/** Where an entry of the map has its key and its value. */
const KEY = 2 * 1;
const VALUE = 2 * 2;

/** The properties of the one event that is being taken: the dictionary's index of each key, and its entry. */
const keys = new Uint32Array(MAX_PROPERTIES);
const offsets = new Uint32Array(MAX_PROPERTIES);

/** Writes an event's properties to the batch's open row; of a key that is there twice the last counts. */
export function takeProperties(
  event: EventFields,
  batch: BatchBuilder,
  { adjustments }: EventContext,
): undefined {
  const { properties } = event;
  let count = 0;
  let beyond = properties.beyond;
  for (let entry = 0; entry < properties.count; entry++) {
    const size = batch.dictionary.size;
    const offset = properties.offset(entry);
    const key = takeKey(event, batch, adjustments, offset);
    if (key === 0) continue;
    const place = placeOf(key, count);
    if (place === MAX_PROPERTIES) {
      batch.dictionary.truncate(size);
      beyond++;
      continue;
    }
    if (place === count) count++;
    keys[place] = key;
    offsets[place] = offset;
  }
  if (beyond > 0) {
    const message = `${count + beyond} properties, at most ${MAX_PROPERTIES}`;
    adjustments.add(AdjustmentKind.DROPPED, "properties", message);
  }
  for (let place = 0; place < count; place++) {
    property.row = batch.rows;
    property.key = keys[place]!;
    takeValue(event, batch, adjustments, offsets[place]!);
    if (property.kind !== NO_KIND) batch.properties.append(property);
  }
}

/** Where a key stands among the first of them, or the place behind. */
function placeOf(key: number, count: number): number {
  let place = 0;
  while (place < count && keys[place] !== key) place++;
  return place;
}

/** The index of an entry's key; 0: it has none, and is left out. */
function takeKey(
  { bytes, properties: { values } }: EventFields,
  batch: BatchBuilder,
  adjustments: Adjustments,
  offset: number,
): number {
  const start = values[offset + KEY]!;
  const end = values[offset + KEY + 1]!;
  if (start === end) adjustments.add(AdjustmentKind.DROPPED, "properties", "an empty key");
  const key = takeText(batch, bytes, start, end, MAX_KEY);
  return key >= 0 ? key : mendText(batch, adjustments, "properties", bytes, start, end, MAX_KEY);
}

/** The property that is being taken: columns of BatchBuilder. */
const property = { row: 0, key: 0, value: 0, kind: 0, number: 0n };

/** Stands for a property that is left out. */
const NO_KIND = -1;

const isPlainKey = (key: string) => !isPersonalKey(key);

/** Takes an entry's value; of one whose key tells that it is personal, what stands in for it. */
function takeValue(
  { bytes, properties: { values } }: EventFields,
  batch: BatchBuilder,
  adjustments: Adjustments,
  offset: number,
): void {
  const is = values[offset];
  const [first, second] = [values[offset + VALUE]!, values[offset + VALUE + 1]!];
  property.value = 0;
  property.number = 0n;
  property.kind = PropertyKind.TEXT;
  if (is === Value.TEXT && first === second) return;
  if (is === Value.BOOLEAN) {
    property.kind = first === 0 ? PropertyKind.FALSE : PropertyKind.TRUE;
    return;
  }
  if (is === Value.TEXT || is === Value.NUMBER) {
    if (!isGood(batch, property.key, Mark.PLAIN_KEY, isPlainKey)) {
      adjustments.add(AdjustmentKind.REPLACED, fieldOf(batch), `personal data by its name: ${REDACTED}`);
      property.value = intern(batch.dictionary, REDACTED);
      return;
    }
    if (is === Value.NUMBER) takeNumber(batch, adjustments, first, second);
    else property.value = takeValueText(bytes, batch, adjustments, first, second);
    return;
  }
  property.kind = NO_KIND;
  adjustments.add(AdjustmentKind.DROPPED, fieldOf(batch), "has no value");
}

/** A double, of its low and high word. */
function takeNumber(batch: BatchBuilder, adjustments: Adjustments, low: number, high: number): void {
  if ((high & 0x7ff0_0000) === 0x7ff0_0000) {
    property.kind = NO_KIND;
    adjustments.add(AdjustmentKind.DROPPED, fieldOf(batch), "is no finite number");
    return;
  }
  property.kind = PropertyKind.NUMBER;
  // JSON cannot tell -0 from 0.
  property.number = low === 0 && high === -0x8000_0000 ? 0n : bigintOf(low, high);
}

function takeValueText(
  bytes: Uint8Array,
  batch: BatchBuilder,
  adjustments: Adjustments,
  start: number,
  end: number,
): number {
  const value = takeText(batch, bytes, start, end, MAX_VALUE);
  return value >= 0 ? value : mendText(batch, adjustments, fieldOf(batch), bytes, start, end, MAX_VALUE);
}

/** The property's name in messages. */
function fieldOf({ dictionary }: BatchBuilder): string {
  return `properties.${dictionary.text(property.key)}`;
}
