import { isTurnOver, nextTurn } from "../../lifecycle/turns.ts";

/** A place where the text is no JSON. */
export class NotJson extends Error {}

/** A stretch of a text, from its first byte to the one behind it. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** Values within it, the names of objects among them: what parsing it costs, other than its bytes. */
  readonly values: number;
  /** Of its texts that are longer than anything that is kept, where what is over begins and ends: pairs of places. */
  readonly over: readonly number[];
}

/** Bytes that are looked at before others may have their turn. */
const STRIDE = 256 << 10;

/** Nobody indents so far. */
const MAX_SPACE = 1 << 20;

/** Texts of fewer bytes are looked at without preparing for a long one. */
const SHORT_TEXT = 64;

const NONE: number[] = [];
const LETTER_U = 0x75;

/** In the place of a byte: there is none. */
export const END = -1;

/** What is over in a text that is longer, bytes: no text is looked at beyond 32,768 characters, each an escape at most. */
const LONG_TEXT = 6 * 32_768;

export const Code = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  open: 0x7b,
  close: 0x7d,
} as const;

/**
 * Goes over a JSON text as bytes, and finds where its parts stand without making anything of them. What is within a part
 * is only looked at as far as its end goes: whether it is JSON is seen when it is parsed.
 */
export class Scanner {
  readonly #bytes: Uint8Array;
  #at: number;
  #over: number[] = NONE;
  /** Of the text that is being passed: from where on it is long, and where what is over begins, if that is behind. */
  #long = 0;
  #cut = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    // A byte order mark, as some editors write it.
    this.#at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  }

  /** The next byte that is no white space; END behind the last. It is not passed. @throws NotJson for too much of that. */
  peek(): number {
    const bytes = this.#bytes;
    const stop = Math.min(bytes.length, this.#at + MAX_SPACE);
    let at = this.#at;
    while (at < stop && isSpace(bytes[at]!)) at++;
    if (at === this.#at + MAX_SPACE)
      throw new NotJson(`${MAX_SPACE} bytes of white space at byte ${this.#at}`);
    this.#at = at;
    return bytes[at] ?? END;
  }

  /** Passes the next byte that is no white space. @throws NotJson when it is another than the one that is due. */
  expect(code: number): void {
    if (this.peek() !== code) throw this.problem();
    this.#at++;
  }

  /** Passes the next byte if it is this one. */
  passes(code: number): boolean {
    if (this.peek() !== code) return false;
    this.#at++;
    return true;
  }

  /** Passes a value. @throws NotJson when it does not end, or is none. */
  async value(): Promise<Span> {
    if (isTurnOver()) await nextTurn();
    const first = this.peek();
    const start = this.#at;
    this.#over = NONE;
    if (first === Code.open || first === Code.openList) return this.#nested(start, 0);
    if (first === Code.quote) await this.#string();
    else this.#scalar();
    return { start, end: this.#at, values: 1, over: this.#over };
  }

  /** Passes the rest of a list whose beginning, and some of its values, are behind. @throws NotJson when it does not end. */
  async restOfList(): Promise<void> {
    await this.#nested(this.#at, 1);
  }

  problem(): NotJson {
    const { length } = this.#bytes;
    return new NotJson(this.#at < length ? `unexpected byte ${this.#at}` : `it ends after ${length} bytes`);
  }

  async #nested(start: number, outside: number): Promise<Span> {
    const bytes = this.#bytes;
    let depth = outside;
    let values = 0;
    let stop = this.#at + STRIDE;
    while (this.#at < bytes.length) {
      if (this.#at > stop) {
        if (isTurnOver()) await nextTurn();
        stop = this.#at + STRIDE;
      }
      const code = bytes[this.#at]!;
      if (code === Code.quote) {
        // Most end at once.
        if (!this.#shortString()) await this.#string();
        continue;
      }
      this.#at++;
      if (code === Code.comma || code === Code.colon) values++;
      else if (code === Code.open || code === Code.openList) {
        depth++;
        values++;
      } else if ((code === Code.close || code === Code.closeList) && --depth === 0) {
        return { start, end: this.#at, values, over: this.#over };
      }
    }
    throw this.problem();
  }

  /** Passes a text of a few characters without escapes. @returns whether it is one. */
  #shortString(): boolean {
    const bytes = this.#bytes;
    const stop = Math.min(bytes.length, this.#at + SHORT_TEXT);
    for (let at = this.#at + 1; at < stop; at++) {
      const code = bytes[at]!;
      if (code === Code.backslash) return false;
      if (code === Code.quote) {
        this.#at = at + 1;
        return true;
      }
    }
    return false;
  }

  async #string(): Promise<void> {
    this.#at++;
    this.#long = this.#at + LONG_TEXT;
    this.#cut = 0;
    while (!this.#endOfString()) if (isTurnOver()) await nextTurn();
  }

  /** Goes on to the end of a text. @returns whether it was reached within a stride. */
  #endOfString(): boolean {
    const bytes = this.#bytes;
    const long = this.#long;
    const stop = this.#at + STRIDE;
    let at = this.#at;
    for (; at < bytes.length && at < stop; at++) {
      const code = bytes[at]!;
      // Only here a character begins, or an escape.
      if (at > long && this.#cut === 0 && (code & 0xc0) !== 0x80) this.#cut = at;
      if (code === Code.quote) {
        this.#at = at + 1;
        if (this.#cut > 0 && at > this.#cut) this.#over = [...this.#over, this.#cut, at];
        return true;
      }
      if (code === Code.backslash) at += bytes[at + 1] === LETTER_U ? 5 : 1;
    }
    this.#at = Math.min(at, bytes.length);
    if (this.#at === bytes.length) throw this.problem();
    return false;
  }

  /** A number, true, false or null. */
  #scalar(): void {
    const bytes = this.#bytes;
    const start = this.#at;
    while (this.#at < bytes.length && isWord(bytes[this.#at]!)) this.#at++;
    if (this.#at === start) throw this.problem();
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Letters, digits, plus, minus and the point. */
function isWord(code: number): boolean {
  const letter = code | 0x20;
  const isLetter = letter >= 0x61 && letter <= 0x7a;
  return isLetter || (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e;
}
