import { hash } from "node:crypto";
import type { BatchBuilder } from "../event/batch-builder.ts";
import { ABSENT } from "../event/dictionary.ts";
import { type Field, type Fields, namesOf, underscored } from "../event-schema/fields.ts";
import { AdjustmentKind, type Adjustments } from "./adjustments.ts";
import { cutText } from "./cut-text.ts";
import { shown } from "./refusal.ts";

/** What `takeText` returns for a text that may be longer than its limit; dictionary-builder.ts has the other codes. */
const MAYBE_TOO_LONG = -3;

/** Most bytes of a character in UTF-8. */
export const CHARACTER_BYTES = 4;

/**
 * The dictionary's index of a text in some bytes, or a code below 0 for one that cannot stay as it is: `mendText`
 * and `mendId` take it then. @param limit longest text, characters.
 */
export function takeText(
  { dictionary }: BatchBuilder,
  source: Uint8Array,
  start: number,
  end: number,
  limit: number,
): number {
  // No text has more characters than bytes.
  return end - start > limit ? MAYBE_TOO_LONG : dictionary.intern(source, start, end);
}

/** Forms that a text was found to have: bits that the dictionary keeps with it while the batch is open. */
export const Mark = {
  WEB_ADDRESS: 1,
  ADDRESS: 2,
  CURRENCY: 4,
  REDACTED: 8,
  PLAIN_KEY: 16,
  RANDOM_ID: 32,
} as const;

/** Whether a text is absent or has a form. It is tested once for all rows of the batch that have it. */
export function isGood(
  { dictionary }: BatchBuilder,
  index: number,
  mark: number,
  test: (text: string) => boolean,
): boolean {
  if (index === ABSENT || (dictionary.marks(index) & mark) !== 0) return true;
  if (!test(dictionary.text(index))) return false;
  dictionary.mark(index, mark);
  return true;
}

/** The texts of a message that are taken alike: as they are, or with what becomes of those that are too long. */
export function plainTexts<F extends Fields>(fields: F) {
  return namesOf(fields, "text").flatMap((column) => {
    const { limit, over } = fields[column] as Field;
    if (limit === undefined) return [];
    return [{ column, field: underscored(column), limit, mend: over === "hash" ? mendId : mendText }];
  });
}

/** The index of a text that takeText gave a code for: its first characters, with U+FFFD for what is none. */
export function mendText(
  { dictionary }: BatchBuilder,
  adjustments: Adjustments,
  field: string,
  source: Uint8Array,
  start: number,
  end: number,
  limit: number,
): number {
  const { text, isClean } = headOf(source, start, end, limit);
  const kept = cutText(text, limit);
  if (kept !== text) tellCut(adjustments, field, end - start, limit, kept);
  if (!isClean) tellReplaced(adjustments, field, kept);
  return intern(dictionary, kept);
}

/** As mendText, for a text that tells one person, order or thing from another: if it cannot stay, its hash does. */
export function mendId(
  { dictionary }: BatchBuilder,
  adjustments: Adjustments,
  field: string,
  source: Uint8Array,
  start: number,
  end: number,
  limit: number,
): number {
  const { text, isClean } = headOf(source, start, end, limit);
  const isShort = cutText(text, limit) === text;
  if (isClean && isShort) return intern(dictionary, text);
  const why = isShort ? "is not UTF-8, or holds U+0000" : `${end - start} bytes, at most ${limit} characters`;
  adjustments.add(AdjustmentKind.HASHED, field, `${why}: ${shown(text)}`);
  return intern(dictionary, `sha256:${hash("sha256", source.subarray(start, end), "hex")}`);
}

export function tellCut(
  adjustments: Adjustments,
  field: string,
  bytes: number,
  limit: number,
  kept: string,
): void {
  adjustments.add(AdjustmentKind.CUT, field, `${bytes} bytes, at most ${limit} characters: ${shown(kept)}`);
}

export function tellReplaced(adjustments: Adjustments, field: string, text: string): void {
  adjustments.add(AdjustmentKind.REPLACED, field, `is not UTF-8, or holds U+0000: ${shown(text)}`);
}

export interface TextHead {
  /** What is no UTF-8, and U+0000, is U+FFFD. */
  readonly text: string;
  /** Whether the text goes on. */
  readonly isPart: boolean;
  /** Whether nothing within the limit had to be replaced. */
  readonly isClean: boolean;
}

/** A text as far as it is needed to cut it to its limit. */
export function headOf(source: Uint8Array, start: number, end: number, limit: number): TextHead {
  // One character more than is kept, so that a text that goes on is seen to be longer.
  const until = Math.min(end, start + CHARACTER_BYTES * (limit + 1));
  const text = textOf(source, start, until).replaceAll("\0", "\ufffd");
  const kept = Buffer.from(cutText(text, limit));
  const isClean = kept.equals(source.subarray(start, start + kept.length));
  return { text, isPart: until < end, isClean };
}

export function intern(dictionary: BatchBuilder["dictionary"], text: string): number {
  const bytes = Buffer.from(text);
  return dictionary.intern(bytes, 0, bytes.length);
}

/** A text; what is no UTF-8 is U+FFFD. */
export function textOf(source: Uint8Array, start: number, end: number): string {
  return Buffer.from(source.buffer, source.byteOffset + start, end - start).toString();
}
