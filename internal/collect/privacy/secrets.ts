import { Char } from "./decoded-text.ts";

/** How much a text looks like a secret. */
export const Strength = {
  NONE: 0,
  /** Letters and digits mixed: one behind what tells of secrets. */
  MIXED: 1,
  /** As no word or name is: one wherever secrets may be. */
  KEY: 2,
} as const;

const UPPER = 1;
const LOWER = 2;
const DIGIT = 4;
const DOT = 8;
/** A letter that is no hexadecimal digit, or a sign other than -. */
const NOT_HEX = 16;

/** Shortest of each kind, characters. */
const SHORTEST_MIXED = 8;
const SHORTEST_SLUG = 16;
const SHORTEST_KEY = 20;
const SHORTEST_HEX = 32;
/** What has dots and is shorter is a file. */
const SHORTEST_DOTTED = 32;

/** How often a letter stands beside a digit: once in a word with a number (SPRING2024), three times in c0ab12. */
const TURNS = 2;
const TURNS_OF_KEY = 3;
const TURNS_OF_ONE_CASE = 5;

/**
 * How much the characters from one place to another look like a secret: UUIDs, hexadecimal digits, base64. What
 * products are called (iphone-15-pro-max-256gb) does not: there words and numbers are apart.
 */
export function strengthOf(codes: Uint16Array, from: number, to: number): number {
  const length = to - from;
  if (length < SHORTEST_MIXED) return Strength.NONE;
  let [all, before, turns] = [0, 0, 0];
  for (let at = from; at < to; at++) {
    const bits = bitsOf(codes[at]!);
    all |= bits;
    if (((bits | before) & (UPPER | LOWER)) !== 0 && ((bits ^ before) & DIGIT) !== 0) turns++;
    before = bits & (UPPER | LOWER | DIGIT);
  }
  if ((all & DIGIT) === 0) return Strength.NONE;
  if ((all & NOT_HEX) === 0 && length >= SHORTEST_HEX) return Strength.KEY;
  const cases = all & (UPPER | LOWER);
  if (cases === 0 || ((all & DOT) !== 0 && length < SHORTEST_DOTTED)) return Strength.NONE;
  const least = cases === (UPPER | LOWER) ? TURNS_OF_KEY : TURNS_OF_ONE_CASE;
  if (length >= SHORTEST_KEY && turns >= least) return Strength.KEY;
  return length >= SHORTEST_SLUG || turns >= TURNS ? Strength.MIXED : Strength.NONE;
}

function bitsOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return DIGIT;
  if (code >= 0x61 && code <= 0x7a) return code <= 0x66 ? LOWER : LOWER | NOT_HEX;
  if (code >= 0x41 && code <= 0x5a) return code <= 0x46 ? UPPER : UPPER | NOT_HEX;
  if (code === Char.MINUS) return 0;
  return code === Char.DOT ? DOT | NOT_HEX : NOT_HEX;
}
