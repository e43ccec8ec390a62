import { DIGIT, GAP, is, TOKEN, WORD } from "./char-classes.ts";
import { Char, type DecodedText } from "./decoded-text.ts";
import { isNumbered } from "./parameter-names.ts";

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
  return end !== -1 && isNumbered(nameBefore(text, at)) ? -1 : end;
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
  let [digits, gaps, dots, end] = [0, 0, 0, from];
  for (let at = from; at < length && at - end <= 2 && gaps <= MOST_GAPS && digits <= most; at++) {
    const code = codes[at]!;
    if (is(code, DIGIT)) {
      digits++;
      gaps += at - end;
      if (at > end && codes[at - 1] === Char.DOT) dots++;
      end = at + 1;
    } else if (!is(code, GAP)) {
      if (at === end && is(code, TOKEN | WORD)) return -1;
      break;
    }
  }
  const isDecimal = dots === 1 && gaps === 1;
  return digits >= least && digits <= most && !isDecimal ? end : -1;
}

/** Longest run of digits that is looked at: cards have 13 to 19. */
const LONGEST_RUN = 20;

/** How issuers print numbers: Visa, Mastercard and most others; American Express; Diners Club. */
const GROUPED = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 6, 4],
] as const;

/** What may not stand before or behind digits that are a card's by themselves: they are a part of something. */
const ATTACHED: ReadonlySet<number> = new Set([Char.DOT, Char.MINUS, 0x2c, 0x5f]);

/**
 * Where a card's number ends that may begin with the digit at `at`; -1: it is none. In groups as they are printed, or
 * bare and not named as something else; all begin with 2 to 6. What it is all the same, an order number of 16 digits that by chance has an
 * issuer's first digits and the right check digit, cannot be told from a card's number.
 */
export function cardEnd(text: DecodedText, at: number): number {
  const { codes, length } = text;
  const first = codes[at]!;
  if (first < 0x32 || first > 0x36 || (at > 0 && is(codes[at - 1]!, WORD))) return -1;
  for (const groups of GROUPED) {
    const end = groupedEnd(text, at, groups);
    if (end !== -1 && isCard(digitsOf(text, at, end), true)) return end;
  }
  let end = at;
  while (end < length && end - at < LONGEST_RUN && is(codes[end]!, DIGIT)) end++;
  const isApart = !is(codes[end]!, WORD) || end === length;
  if (end - at < 13 || !isApart || isAttached(text, at, end)) return -1;
  return isCard(digitsOf(text, at, end), false) && !isNumbered(nameBefore(text, at)) ? end : -1;
}

function isAttached({ codes, length }: DecodedText, from: number, to: number): boolean {
  if (from > 0 && ATTACHED.has(codes[from - 1]!)) return true;
  return to + 1 < length && ATTACHED.has(codes[to]!) && is(codes[to + 1]!, WORD);
}

/** Where digits end that are grouped so, with the same gap between all groups; -1: they are not. */
function groupedEnd({ codes, length }: DecodedText, from: number, groups: readonly number[]): number {
  let at = from;
  const gap = codes[from + groups[0]!]!;
  if (!is(gap, GAP)) return -1;
  for (const [index, size] of groups.entries()) {
    if (index > 0 && codes[at++] !== gap) return -1;
    for (const end = at + size; at < end; at++) if (at >= length || !is(codes[at]!, DIGIT)) return -1;
  }
  return at < length && is(codes[at]!, WORD) ? -1 : at;
}

function digitsOf({ codes }: DecodedText, from: number, to: number): string {
  let digits = "";
  for (let at = from; at < to; at++) if (is(codes[at]!, DIGIT)) digits += String.fromCharCode(codes[at]!);
  return digits;
}

/** The parameter, or the folder, that a value stands behind; "" where it stands behind neither. */
function nameBefore(text: DecodedText, at: number): string {
  const parted = text.codes[at - 1];
  if (parted !== Char.EQUALS && parted !== Char.SLASH) return "";
  return /[^/?&#;=]*$/.exec(text.lower(Math.max(at - 65, 0), at - 1))![0];
}

/**
 * First digits and lengths of what issuers give out (ISO/IEC 7812; Visa, Mastercard, American Express, Discover, JCB,
 * UnionPay, Maestro; Diners Club and Visa's 13 digits only where they are grouped: 14 digits are Shopify's ids, 13 are
 * GTINs).
 */
const ISSUERS =
  /^(4\d{15}(\d{3})?|5[1-5]\d{14}|2(22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(011|4[4-9]\d|5\d\d)\d{12,15}|35(2[89]|[3-8]\d)\d{12,15}|62\d{14,17}|(50[0-9]{2}|5[6-9]\d\d|6304|67\d\d)\d{12,15})$/;
const GROUPED_ONLY = /^(3(0[0-5]|[689]\d)\d{11})$/;

function isCard(digits: string, isGrouped: boolean): boolean {
  if (!ISSUERS.test(digits) && !(isGrouped && GROUPED_ONLY.test(digits))) return false;
  // Luhn's check digit, ISO/IEC 7812-1 annex B.
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
