import { DIGIT, is, WORD } from "./char-classes.ts";
import { Char, DecodedText } from "./decoded-text.ts";
import { findMail } from "./find-mail.ts";
import { cardEnd, phoneEnd, telEnd } from "./find-numbers.ts";
import { findBearer, findFolderSecret, isAt, jwtEnd } from "./find-tokens.ts";
import { isOfSecret, isSecret, kindOfName } from "./parameter-names.ts";

/** What stands for a value that is taken out. */
export const REDACTED = "(redacted)";

/** Whether a text has any part that is looked at. */
const MAY_HOLD =
  /[?#@%&;+]|eyJ|tel:|bearer|\d{4}[ -]\d{4}|\d{13}|\/(?:[a-z]+[-_])?(?:reset|forgot|password|token|verif|confirm|activ|magic|invit|unsub|opt)/i;

/**
 * An address (of a page, or what stands for a referrer) without personal data: values of parameters with telling
 * names; mail addresses, JSON Web Tokens, cards' numbers and phone numbers in international form anywhere; user and
 * password before a host. However often it was escaped, and in addresses within the address too. What is taken out is
 * gone for good: this is done before the event is stored or sent anywhere. The time is linear in the text's length.
 * @returns the same text where there is none of it.
 */
export function redact(text: string): string {
  if (!MAY_HOLD.test(text)) return text;
  cuts.begin(text);
  for (let at = 0; at < decoded.length; ) {
    const code = decoded.codes[at]!;
    const find = code < FINDERS.length ? FINDERS[code] : undefined;
    at = find === undefined ? at + 1 : find(at);
  }
  return cuts.rest();
}

/** The text that is being cleaned: there is one at a time, and its room is used again. */
const decoded = new DecodedText();

/** What is taken out of the text, from left to right. */
class Cuts {
  /** Where the last one ended, in the decoded text. */
  end = 0;
  #text = "";
  #clean = "";
  #kept = 0;

  begin(text: string): void {
    decoded.read(text);
    this.#text = text;
    this.#clean = "";
    this.#kept = 0;
    this.end = 0;
  }

  /** Puts something in the place of some characters of the decoded text. @returns where they end. */
  cut(from: number, to: number, instead = REDACTED): number {
    const start = decoded.starts[from]!;
    const end = decoded.starts[to]!;
    // An address that was cleaned before stays what it is.
    if (this.#text.slice(start, end) !== instead) {
      this.#clean += this.#text.slice(this.#kept, start) + instead;
      this.#kept = end;
    }
    this.end = to;
    return to;
  }

  rest(): string {
    return this.#kept === 0 ? this.#text : this.#clean + this.#text.slice(this.#kept);
  }
}

const cuts = new Cuts();

/** Looks at what begins at a place of the decoded text, or lies around it. @returns where to go on. */
type Find = (at: number) => number;

const cutTo = (from: number, end: number) => (end === -1 ? from + 1 : cuts.cut(from, end));
const cutSpan = (at: number, span: [number, number] | undefined) =>
  span === undefined ? at + 1 : cuts.cut(span[0], span[1]);

/** Longest name of a parameter. */
const LONGEST_NAME = 128;

/** A parameter behind what parts it from others. */
const parameter: Find = (at) => {
  const { codes, length } = decoded;
  const last = Math.min(length, at + 1 + LONGEST_NAME);
  let equals = at + 1;
  while (equals < last && isOfName(codes[equals]!)) equals++;
  if (equals === at + 1 || equals >= length || codes[equals] !== Char.EQUALS) return at + 1;
  const kind = kindOfName(decoded.slice(at + 1, equals));
  const end =
    kind === "personal" ? valueEnd(equals, codes[at]!) : kind === "secret" ? secretEnd(equals + 1) : -1;
  if (end === -1) return equals;
  return end === equals + 1 ? end : cuts.cut(equals + 1, end);
};

/** One that a value begins with, which is deeper than the = before it: ?data=email%3D... */
const innerParameter: Find = (at) => {
  const { codes, levels, length } = decoded;
  let equals = at + 1;
  while (equals < length && equals <= at + LONGEST_NAME && isOfName(codes[equals]!)) equals++;
  const isInner = equals < length && codes[equals] === Char.EQUALS && levels[equals]! > levels[at]!;
  return isInner ? parameter(at) : at + 1;
};

function isOfName(code: number): boolean {
  return !(
    code === Char.EQUALS ||
    code === Char.SLASH ||
    code < 0x20 ||
    isEnd(code) ||
    code === Char.QUESTION
  );
}

function isEnd(code: number): boolean {
  return code === Char.AMPERSAND || code === Char.HASH || code === Char.SEMICOLON;
}

/** Where a value ends: with what parts parameters and is no deeper than its own =, or with the address in a text. */
function valueEnd(equals: number, before: number): number {
  const { codes, levels, length } = decoded;
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
function secretEnd(from: number): number {
  const { codes, length } = decoded;
  let end = from;
  while (end < length && isOfSecret(codes[end]!)) end++;
  return isSecret(decoded.slice(from, end)) ? end : -1;
}

/** User and password before a host, and `tel:`. */
const colon: Find = (at) => {
  const { codes, length } = decoded;
  if (
    at >= 3 &&
    isAt(decoded, at - 3, "tel") &&
    !(at > 3 && (is(codes[at - 4]!, WORD) || codes[at - 4] === Char.SLASH))
  ) {
    const end = telEnd(decoded, at + 1);
    if (end !== -1) return cuts.cut(at + 1, end);
  }
  if (codes[at + 1] !== Char.SLASH || codes[at + 2] !== Char.SLASH || at === 0 || !is(codes[at - 1]!, WORD))
    return at + 1;
  let from = at + 3;
  while (from < length && (codes[from] === Char.SLASH || codes[from] === 0x5c)) from++;
  let end = from;
  let userEnd = -1;
  for (; end < length && !isAfterAuthority(codes[end]!); end++) if (codes[end] === Char.AT) userEnd = end + 1;
  if (userEnd !== -1) cuts.cut(from, userEnd, "");
  return Math.max(end, at + 1);
};

function isAfterAuthority(code: number): boolean {
  return (
    isEnd(code) ||
    code <= Char.SPACE ||
    code === Char.SLASH ||
    code === Char.QUESTION ||
    code === Char.QUOTE ||
    code === 0x5c
  );
}

/** A card's number; the rest of the digits is of none. */
const digit: Find = (at) => {
  const end = cardEnd(decoded, at);
  if (end !== -1) return cuts.cut(at, end);
  let next = at + 1;
  while (next < decoded.length && is(decoded.codes[next]!, DIGIT)) next++;
  return next;
};

const FINDERS: (Find | undefined)[] = new Array<Find | undefined>(0x80).fill(undefined);
const finds = (chars: string, find: Find) => {
  for (const char of chars) FINDERS[char.charCodeAt(0)] = find;
};
finds("?&#;", parameter);
finds("=", innerParameter);
finds(":", colon);
finds("@", (at) => cutSpan(at, findMail(decoded, at, cuts.end)));
finds("+", (at) => cutTo(at, phoneEnd(decoded, at)));
finds("0123456789", digit);
finds("e", (at) => cutTo(at, jwtEnd(decoded, at)));
finds("Bb", (at) => cutSpan(at, findBearer(decoded, at)));
finds("/", (at) => cutSpan(at, findFolderSecret(decoded, at)));
