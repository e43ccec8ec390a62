import { isUtf8 } from "node:buffer";
import type { BatchBuilder } from "../event/batch-builder.ts";
import { ABSENT } from "../event/dictionary.ts";
import { HOLDS_NUL, NOT_UTF8 } from "../event/dictionary-builder.ts";
import { RejectReason as Reason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type Refusal, refuse, shown } from "./refusal.ts";

/** What `takeText` returns for a text that is longer than its limit; dictionary-builder.ts has the other codes. */
const TOO_LONG = -3;

/**
 * The dictionary's index of a text in some bytes, or a code below 0 for one that is refused: `refuseText` turns it
 * into words. @param limit longest text, bytes.
 */
export function takeText(
  { dictionary }: BatchBuilder,
  source: Uint8Array,
  start: number,
  end: number,
  limit: number,
): number {
  return end - start > limit ? TOO_LONG : dictionary.intern(source, start, end);
}

/** As takeText, for a text that does not go into the dictionary: 0 for a good one. */
export function textProblem(source: Uint8Array, start: number, end: number, limit: number): number {
  if (end - start > limit) return TOO_LONG;
  const bytes = source.subarray(start, end);
  if (!isUtf8(bytes)) return NOT_UTF8;
  return bytes.includes(0) ? HOLDS_NUL : 0;
}

/** Forms that a text was found to have: bits that the dictionary keeps with it while the batch is open. */
export const Mark = { WEB_ADDRESS: 1, ADDRESS: 2, CURRENCY: 4, REDACTED: 8 } as const;

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

/** Why takeText refused a text. */
export function refuseText(
  code: number,
  field: string,
  source: Uint8Array,
  start: number,
  end: number,
  limit: number,
): Refusal {
  const text = shown(textOf(source, start, end));
  if (code === TOO_LONG) {
    return refuse(Reason.FIELD_TOO_LONG, `${field}: ${end - start} bytes, at most ${limit}: ${text}`);
  }
  if (code === HOLDS_NUL) return refuse(Reason.INVALID_UTF8, `${field}: holds U+0000: ${text}`);
  return refuse(Reason.INVALID_UTF8, `event: ${field} is not valid UTF-8: ${text}`);
}

/** A text, as messages show it. */
export function textOf(source: Uint8Array, start: number, end: number): string {
  return Buffer.from(source.buffer, source.byteOffset + start, end - start).toString();
}
