import { DIGIT, GAP, is, WORD } from "./char-classes.ts";
import { Char, type DecodedText } from "./decoded-text.ts";
import { isNumbered } from "./find-numbers.ts";

/** Digits of a card's number that stands by itself; the shorter ones only where they are grouped. */
const LEAST_DIGITS = 15;
const MOST_DIGITS = 19;

/** How issuers print numbers: Visa, Mastercard and most others; American Express and Diners Club. */
const FOURS: readonly (readonly number[])[] = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
];
const SIXES: typeof FOURS = [
  [4, 6, 5],
  [4, 6, 4],
];

/** What may not stand before or behind digits that are a card's by themselves: they are a part of something. */
const ATTACHED: ReadonlySet<number> = new Set([Char.DOT, Char.MINUS, 0x2c, 0x5f]);

/** The digits of the number that is looked at. */
const digits = new Uint8Array(MOST_DIGITS);

/**
 * Where a card's number ends that may begin with the digit at `at`; -1: it is none. In groups as they are printed, or
 * bare and not named as something else; all begin with 2 to 6. What it is all the same, an order number of 16 digits
 * that by chance has an issuer's first digits and the right check digit, cannot be told from a card's number.
 */
export function cardEnd(text: DecodedText, at: number): number {
  const { codes, length } = text;
  const first = codes[at]!;
  if (first < 0x32 || first > 0x36 || (at > 0 && is(codes[at - 1]!, WORD))) return -1;
  let end = at + 1;
  while (end < length && end - at <= MOST_DIGITS && is(codes[end]!, DIGIT)) end++;
  const count = end - at;
  if (count === 4) return groupedEnd(text, at);
  if (count < LEAST_DIGITS || count > MOST_DIGITS || isAttached(text, at, end)) return -1;
  for (let place = 0; place < count; place++) digits[place] = codes[at + place]! - 0x30;
  return isCard(count, false) && !isNumbered(text, at) ? end : -1;
}

function isAttached({ codes, length }: DecodedText, from: number, to: number): boolean {
  if (from > 0 && ATTACHED.has(codes[from - 1]!)) return true;
  if (to < length && is(codes[to]!, WORD)) return true;
  return to + 1 < length && ATTACHED.has(codes[to]!) && is(codes[to + 1]!, WORD);
}

/** Where a card's number ends of which four digits were found; -1: it is none. */
function groupedEnd(text: DecodedText, at: number): number {
  const { codes, length } = text;
  if (at + 9 >= length || !is(codes[at + 4]!, GAP)) return -1;
  const groupings = codes[at + 9] === codes[at + 4] ? FOURS : SIXES;
  const end = endOf(text, at, groupings[0]!);
  return end === -1 ? endOf(text, at, groupings[1]!) : end;
}

/** Where digits end that are grouped so, with the same gap between all groups, and are a card's; -1: they are not. */
function endOf({ codes, length }: DecodedText, from: number, groups: readonly number[]): number {
  const gap = codes[from + 4]!;
  let at = from;
  let count = 0;
  for (let group = 0; group < groups.length; group++) {
    if (group > 0 && codes[at++] !== gap) return -1;
    for (const end = at + groups[group]!; at < end; at++) {
      if (at >= length || !is(codes[at]!, DIGIT)) return -1;
      digits[count++] = codes[at]! - 0x30;
    }
  }
  const isApart = at >= length || !is(codes[at]!, WORD);
  return isApart && isCard(count, true) ? at : -1;
}

/**
 * First digits of what issuers give out, from the first six to the last six, and how many digits the numbers have
 * (ISO/IEC 7812; Visa, Mastercard, American Express, Discover, JCB, UnionPay, Maestro; Diners Club only where they
 * are grouped: 14 digits are Shopify's ids, 13 are GTINs).
 */
const ISSUERS: readonly Issuer[] = [
  { first: 400_000, last: 499_999, least: 16, most: 16 },
  { first: 400_000, last: 499_999, least: 19, most: 19 },
  { first: 510_000, last: 559_999, least: 16, most: 16 },
  { first: 222_100, last: 272_099, least: 16, most: 16 },
  { first: 340_000, last: 349_999, least: 15, most: 15 },
  { first: 370_000, last: 379_999, least: 15, most: 15 },
  { first: 601_100, last: 601_199, least: 16, most: 19 },
  { first: 644_000, last: 659_999, least: 16, most: 19 },
  { first: 352_800, last: 358_999, least: 16, most: 19 },
  { first: 620_000, last: 629_999, least: 16, most: 19 },
  { first: 500_000, last: 509_999, least: 16, most: 19 },
  { first: 560_000, last: 599_999, least: 16, most: 19 },
  { first: 630_400, last: 630_499, least: 16, most: 19 },
  { first: 670_000, last: 679_999, least: 16, most: 19 },
];
const GROUPED_ONLY: readonly Issuer[] = [
  { first: 300_000, last: 305_999, least: 14, most: 14 },
  { first: 360_000, last: 369_999, least: 14, most: 14 },
  { first: 380_000, last: 399_999, least: 14, most: 14 },
];

interface Issuer {
  readonly first: number;
  readonly last: number;
  readonly least: number;
  readonly most: number;
}

function isCard(count: number, isGrouped: boolean): boolean {
  if (!isLuhn(count)) return false;
  let head = 0;
  for (let place = 0; place < 6; place++) head = 10 * head + digits[place]!;
  const isOf = ({ first, last, least, most }: Issuer) =>
    head >= first && head <= last && count >= least && count <= most;
  return ISSUERS.some(isOf) || (isGrouped && GROUPED_ONLY.some(isOf));
}

/** Luhn's check digit, ISO/IEC 7812-1 annex B. */
function isLuhn(count: number): boolean {
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const digit = digits[count - 1 - index]!;
    const doubled = index % 2 === 0 ? digit : 2 * digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
