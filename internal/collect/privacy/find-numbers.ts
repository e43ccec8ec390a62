import { DIGIT, GAP, is, TOKEN, WORD } from "./char-classes.ts";
import { Char, type DecodedText } from "./decoded-text.ts";
import { findName, Name } from "./parameter-names.ts";

/** E.164: at most 15 digits, country code included; fewer than 8 are no international number. */
const PHONE_DIGITS = [8, 15] as const;

/**
 * Where a phone number in international form ends (+49 30 123456), whose + stands at `at`; -1: it is none. A single
 * dot makes it a decimal number.
 */
export function phoneEnd(text: DecodedText, at: number): number {
  const { codes } = text;
  if (at > 0 && is(codes[at - 1]!, WORD)) return -1;
  const first = codes[at + 1]!;
  if (at + 1 >= text.length || first < 0x31 || first > 0x39) return -1;
  const end = numberEnd(text, at + 1, ...PHONE_DIGITS);
  // A + stands for a space, too.
  return end !== -1 && isNumbered(text, at) ? -1 : end;
}

/** Where a phone number ends that `tel:` stands before; -1: none begins there. */
export function telEnd(text: DecodedText, at: number): number {
  const from = text.codes[at] === Char.PLUS ? at + 1 : at;
  return from < text.length && is(text.codes[from]!, DIGIT) ? numberEnd(text, from, 5, 15) : -1;
}

const MOST_GAPS = 8;

/** @returns where digits with gaps between them end, when they are so many; -1 otherwise. */
function numberEnd({ codes, length }: DecodedText, from: number, least: number, most: number): number {
  // Gaps are those between digits: what is behind the last one is none of the number's.
  let digits = 0;
  let gaps = 0;
  let dots = 0;
  let end = from;
  for (let at = from; at < length && at - end <= 2 && gaps <= MOST_GAPS && digits <= most; at++) {
    const code = codes[at]!;
    if (is(code, DIGIT)) {
      digits++;
      gaps += at - end;
      if (at > end && codes[at - 1] === Char.DOT) dots++;
      end = at + 1;
    } else if (code === Char.PLUS && at > end) {
      // Behind another gap: the next number's.
      break;
    } else if (!is(code, GAP)) {
      if (at === end && is(code, TOKEN | WORD)) return -1;
      break;
    }
  }
  const isDecimal = dots === 1 && gaps === 1;
  return digits >= least && digits <= most && !isDecimal ? end : -1;
}

/** Longest name that is looked at. */
const LONGEST_NAME = 65;

/** Whether the parameter, or the folder, that a value stands behind has numbers that are nobody's. */
export function isNumbered({ codes }: DecodedText, at: number): boolean {
  const parted = at > 0 ? codes[at - 1]! : 0;
  if (parted !== Char.EQUALS && parted !== Char.SLASH) return false;
  const end = at - 1;
  const earliest = Math.max(end - LONGEST_NAME, 0);
  let from = end;
  while (from > earliest && !PARTS.has(codes[from - 1]!)) from--;
  return (findName(codes, from, end) & Name.NUMBERED) !== 0;
}

/** What names end at. */
const PARTS: ReadonlySet<number> = new Set([..."/?&#;="].map((sign) => sign.charCodeAt(0)));
