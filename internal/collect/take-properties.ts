import type { BatchBuilder } from "../event/batch-builder.ts";
import { AdjustmentKind, type Adjustments } from "./adjustments.ts";
import type { EventFields } from "./event-fields.ts";
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
    const value = takeValue(event, batch, adjustments, keys[place]!, offsets[place]!);
    batch.properties.append({ row: batch.rows, key: keys[place]!, value });
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

const isPlainKey = (key: string) => !isPersonalKey(key);

/** The index of an entry's value; of one whose key tells that it is personal, of what stands in for it. */
function takeValue(
  { bytes, properties: { values } }: EventFields,
  batch: BatchBuilder,
  adjustments: Adjustments,
  key: number,
  offset: number,
): number {
  const start = values[offset + VALUE]!;
  const end = values[offset + VALUE + 1]!;
  if (start !== end && !isGood(batch, key, Mark.PLAIN_KEY, isPlainKey)) {
    const field = `properties.${batch.dictionary.text(key)}`;
    adjustments.add(AdjustmentKind.REPLACED, field, `personal data by its name: ${REDACTED}`);
    return intern(batch.dictionary, REDACTED);
  }
  const value = takeText(batch, bytes, start, end, MAX_VALUE);
  if (value >= 0) return value;
  const field = `properties.${batch.dictionary.text(key)}`;
  return mendText(batch, adjustments, field, bytes, start, end, MAX_VALUE);
}
