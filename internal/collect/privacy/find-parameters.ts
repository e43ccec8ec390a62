import { is, TOKEN } from "./char-classes.ts";
import { Char, type DecodedText } from "./decoded-text.ts";
import { findName, Name } from "./parameter-names.ts";
import type { Find } from "./scan.ts";
import { Strength, strengthOf } from "./secrets.ts";

/** Longest name of a parameter. */
const LONGEST_NAME = 128;

/** A parameter behind what parts it from others. */
export const parameter: Find = (scan, at) => {
  const { text } = scan;
  const { codes } = text;
  const equals = nameEnd(text, at + 1);
  if (equals === at + 1 || equals >= text.length || codes[equals] !== Char.EQUALS) return at + 1;
  const name = findName(codes, at + 1, equals);
  if ((name & (Name.PERSONAL | Name.MAYBE_SECRET)) === 0) return equals;
  const end = (name & Name.PERSONAL) === 0 ? secretEnd(text, equals + 1) : valueEnd(text, equals, codes[at]!);
  if (end === -1) return equals;
  return end === equals + 1 ? end : scan.cut(equals + 1, end);
};

/** One that a value begins with, which is deeper than the = before it: ?data=email%3D... */
export const innerParameter: Find = (scan, at) => {
  const { codes, levels, length } = scan.text;
  const equals = nameEnd(scan.text, at + 1);
  const isInner = equals < length && codes[equals] === Char.EQUALS && levels[equals]! > levels[at]!;
  return isInner ? parameter(scan, at) : at + 1;
};

function nameEnd({ codes, length }: DecodedText, from: number): number {
  const last = Math.min(length, from + LONGEST_NAME);
  let end = from;
  while (end < last && isOfName(codes[end]!)) end++;
  return end;
}

function isOfName(code: number): boolean {
  return !(
    code === Char.EQUALS ||
    code === Char.SLASH ||
    code === Char.QUESTION ||
    code < 0x20 ||
    isEnd(code)
  );
}

/** What parts parameters. */
export function isEnd(code: number): boolean {
  return code === Char.AMPERSAND || code === Char.HASH || code === Char.SEMICOLON;
}

/** Where a value ends: with what parts parameters and is no deeper than its own =, or with the address in a text. */
function valueEnd({ codes, levels, length }: DecodedText, equals: number, before: number): number {
  const level = levels[equals]!;
  let end = equals + 1;
  for (; end < length; end++) {
    const code = codes[end]!;
    if (levels[end]! > level) continue;
    if (isEnd(code) || code <= Char.SPACE || code === Char.QUOTE || code === 0x3c || code === 0x3e) break;
    if (before === Char.SEMICOLON && (code === Char.SLASH || code === Char.QUESTION)) break;
  }
  return end;
}

/** Where a value ends that is a secret; -1: it is none. */
function secretEnd({ codes, length }: DecodedText, from: number): number {
  let end = from;
  while (end < length && isOfSecret(codes[end]!)) end++;
  return strengthOf(codes, from, end) === Strength.KEY ? end : -1;
}

/** Of base64, base64url, hexadecimal digits. */
function isOfSecret(code: number): boolean {
  return is(code, TOKEN) || SIGNS.has(code);
}

const SIGNS: ReadonlySet<number> = new Set([...".~+/="].map((char) => char.charCodeAt(0)));
