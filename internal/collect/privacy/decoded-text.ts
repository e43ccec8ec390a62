import { is, TOKEN } from "./char-classes.ts";
import { WordTrie } from "./word-trie.ts";

/** Codes of characters that mean something in addresses. */
export const Char = {
  SPACE: 0x20,
  QUOTE: 0x22,
  HASH: 0x23,
  PERCENT: 0x25,
  AMPERSAND: 0x26,
  CLOSED: 0x29,
  PLUS: 0x2b,
  MINUS: 0x2d,
  DOT: 0x2e,
  SLASH: 0x2f,
  COLON: 0x3a,
  SEMICOLON: 0x3b,
  EQUALS: 0x3d,
  QUESTION: 0x3f,
  AT: 0x40,
} as const;

/** Named references (HTML, section 13.5) that stand for what addresses are made of. */
const NAMED = new WordTrie(
  Object.entries({
    amp: "&",
    quot: '"',
    apos: "'",
    lt: "<",
    gt: ">",
    commat: "@",
    period: ".",
    percnt: "%",
    num: "#",
    equals: "=",
    quest: "?",
    sol: "/",
    colon: ":",
    semi: ";",
    plus: "+",
    lowbar: "_",
    nbsp: " ",
  }).map(([words, char]) => ({ words, bits: char.charCodeAt(0) })),
);

/** Longest reference with its & and ;, characters: &#x000040; */
const LONGEST_REFERENCE = 10;

/** Most of a reference's number, which is a UTF-16 code. */
const MOST_OF_REFERENCE = 0xffff;

const DEEPEST = 255;

/**
 * A text with all that is escaped in it undone, however often it was escaped: percent-encoding and HTML's character
 * references. Bytes of UTF-8 stay single characters of 0x80 and more. Each character knows where it stands in the
 * text, and how deep it lay.
 */
export class DecodedText {
  text = "";
  length = 0;
  /** UTF-16 codes. */
  codes: Uint16Array = new Uint16Array(0);
  /** Where a character begins in the text; one more for the text's end. */
  starts: Uint32Array = new Uint32Array(0);
  /** How many times a character was percent-encoded. */
  levels: Uint8Array = new Uint8Array(0);
  #scratch = new Scratch(1 << 13);

  /** Takes another text. The time is linear: each step back, for an escape that is whole now, takes characters away. */
  read(text: string): void {
    if (text.length > this.#scratch.levels.length) this.#scratch = new Scratch(text.length);
    this.text = text;
    this.codes = this.#scratch.codes;
    if (text.includes("%") || text.includes(";")) this.#readEscaped(text);
    else this.#readPlain(text);
  }

  #readPlain(text: string): void {
    this.#scratch.bytes.write(text, "utf16le");
    this.starts = this.#scratch.places;
    this.levels = this.#scratch.noLevels;
    this.length = text.length;
  }

  #readEscaped(text: string): void {
    const { codes, starts, levels } = this.#scratch;
    this.starts = starts;
    this.levels = levels;
    let length = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      codes[length] = code;
      starts[length] = at;
      levels[length++] = 0;
      if (length > 2 && (codes[length - 3] === Char.PERCENT || code === Char.SEMICOLON)) {
        length = this.#undo(length);
      }
    }
    starts[length] = text.length;
    this.length = length;
  }

  /** Characters from one to another, in lower case. */
  lower(from: number, to: number): string {
    return this.slice(from, to).toLowerCase();
  }

  slice(from: number, to: number): string {
    if (to <= from) return "";
    const last = this.starts[to - 1]!;
    const start = this.starts[from]!;
    const isPlain = last - start === to - 1 - from && this.text.charCodeAt(last) === this.codes[to - 1];
    if (isPlain) return this.text.slice(start, last + 1);
    let text = "";
    for (let at = from; at < to; at++) text += String.fromCharCode(this.codes[at]!);
    return text;
  }

  /** Undoes the escape that the last characters are, and what that makes whole. @returns the new length. */
  #undo(length: number): number {
    const { codes, levels } = this;
    let end = length;
    while (end > 2) {
      const first = codes[end - 1] === Char.SEMICOLON ? this.#reference(end) : this.#percent(end);
      if (first === -1) return end;
      end = first + 1;
      if (codes[first]! > 0x7f || levels[first] === DEEPEST) return end;
    }
    return end;
  }

  #percent(end: number): number {
    const { codes, levels } = this;
    const first = end - 3;
    const high = hexValue(codes[end - 2]!);
    const low = hexValue(codes[end - 1]!);
    if (codes[first] !== Char.PERCENT || high === -1 || low === -1) return -1;
    codes[first] = (high << 4) | low;
    levels[first] = Math.min(Math.max(levels[first]!, levels[end - 2]!, levels[end - 1]!) + 1, DEEPEST);
    return first;
  }

  #reference(end: number): number {
    const { codes, levels } = this;
    const earliest = Math.max(end - LONGEST_REFERENCE, 0);
    for (let at = end - 2; at >= earliest; at--) {
      if (codes[at] !== Char.AMPERSAND) {
        if (codes[at] !== Char.HASH && !is(codes[at]!, TOKEN)) return -1;
        continue;
      }
      const code = referenced(codes, at + 1, end - 1);
      if (code === 0) return -1;
      codes[at] = code;
      levels[at] = Math.max(levels[at]!, levels[end - 1]!);
      return at;
    }
    return -1;
  }
}

/** Memory for texts up to some length, which is used again. */
class Scratch {
  readonly codes: Uint16Array;
  /** The codes' own bytes. */
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
  readonly levels: Uint8Array;
  /** Starts and levels where nothing is escaped. */
  readonly places: Uint32Array;
  readonly noLevels: Uint8Array;

  constructor(length: number) {
    this.codes = new Uint16Array(length);
    this.bytes = Buffer.from(this.codes.buffer);
    this.starts = new Uint32Array(length + 1);
    this.levels = new Uint8Array(length);
    this.places = this.starts.map((_, index) => index);
    this.noLevels = new Uint8Array(length);
  }
}

/** The character that a reference without its & and ; stands for; 0: for none. */
function referenced(codes: Uint16Array, from: number, to: number): number {
  if (codes[from] !== Char.HASH) return NAMED.find(codes, from, to);
  const isHex = (codes[from + 1]! | 0x20) === 0x78;
  const base = isHex ? 16 : 10;
  let number = 0;
  for (let at = from + (isHex ? 2 : 1); at < to; at++) {
    const value = hexValue(codes[at]!);
    if (value === -1 || value >= base) return 0;
    number = base * number + value;
  }
  return number <= MOST_OF_REFERENCE ? number : 0;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
