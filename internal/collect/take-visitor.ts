import type { BatchBuilder } from "../event/batch-builder.ts";
import { hashedVisitorId, isGuessable, LONGEST_VISITOR_ID } from "../event/visitor-id.ts";
import type { EventFields } from "./event-fields.ts";
import { at } from "./event-shape.ts";
import { isDenied } from "./take-engagement.ts";
import type { EventContext } from "./take-event.ts";
import { intern, Mark, mendId, takeText } from "./take-text.ts";

/**
 * Writes the visitor's id to the open row; one that could be guessed, such as a mail address, only as its hash under
 * the merchant's visitor-id key.
 */
export function takeVisitor(event: EventFields, batch: BatchBuilder, context: EventContext): undefined {
  const { bytes, values } = event;
  const start = values[at.visitorId]!;
  const end = values[at.visitorId + 1]!;
  if (start === end || isDenied(values)) return;
  batch.texts.visitorId[batch.rows] = takePersonId(batch, context, "visitor_id", bytes, start, end);
}

/** Writes the person's own id, likewise. */
export function takeUser(event: EventFields, batch: BatchBuilder, context: EventContext): undefined {
  const { bytes, values } = event;
  const start = values[at.userId]!;
  const end = values[at.userId + 1]!;
  if (start === end || isDenied(values)) return;
  batch.texts.userId[batch.rows] = takePersonId(batch, context, "user_id", bytes, start, end);
}

/** The index of an id of a person, or of what stands in for it. @param field its name in messages. */
export function takePersonId(
  batch: BatchBuilder,
  { visitorKey, adjustments }: EventContext,
  field: string,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const { dictionary } = batch;
  const size = dictionary.size;
  const index = takeText(batch, bytes, start, end, LONGEST_VISITOR_ID);
  if (index > 0 && (dictionary.marks(index) & Mark.RANDOM_ID) !== 0) return index;
  const mended = index < 0 ? mendId(batch, adjustments, field, bytes, start, end, LONGEST_VISITOR_ID) : index;
  if (isGuessable(bytes, start, end)) {
    dictionary.truncate(size);
    return intern(dictionary, hashed(visitorKey, bytes.subarray(start, end)));
  }
  dictionary.mark(mended, Mark.RANDOM_ID);
  return mended;
}

/** Hashes that were made lately, by visitor-id key and id: a visitor has many events. */
const known = new Map<string, string>();
const MOST_KNOWN = 20_000;

/** Longer ids are not remembered, bytes. */
const LONGEST_KNOWN = 128;

function hashed(key: Uint8Array, id: Uint8Array): string {
  if (id.length > LONGEST_KNOWN) return hashedVisitorId(key, id);
  const name = latin1(key) + latin1(id);
  let hash = known.get(name);
  if (hash === undefined) {
    hash = hashedVisitorId(key, id);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(name, hash);
  }
  return hash;
}

function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}
