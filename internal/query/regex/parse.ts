import { RE2JS, RE2JSException } from "re2js";

/** A regular expression in RE2's syntax, as far as it matters whether it is found; groups and laziness do not. */
export type Node =
  | { readonly kind: "char"; readonly code: number; readonly ignoreCase: boolean }
  /** A class, as it is written. */
  | { readonly kind: "set"; readonly source: string; readonly ignoreCase: boolean }
  | { readonly kind: "any"; readonly newline: boolean }
  | { readonly kind: "assert"; readonly what: Assertion }
  | { readonly kind: "sequence" | "choice"; readonly of: readonly Node[] }
  | { readonly kind: "repeat"; readonly of: Node; readonly min: number; readonly max: number | undefined };

export type Assertion = "text_start" | "text_end" | "line_start" | "line_end" | "word_edge" | "no_word_edge";

/** Most characters of a regular expression. */
export const MAX_REGEX_LENGTH = 256;
/** How often a part may be repeated by numbers, those around it multiplied. */
export const MAX_REPETITION = 100;
/** How large an expression may be, each repetition written out: what PostgreSQL makes of it takes up to 0.2 s then. */
const MAX_SIZE = 500;

/** A regular expression is refused; the message is to be read after "it ". */
export class RegexError extends Error {}

/**
 * Reads a regular expression. Its bounds are checked before re2js, the authority on what is valid, sees it.
 *
 * @throws RegexError
 */
export function parseRegex(pattern: string, ignoreCase: boolean): Node {
  if (pattern.length > MAX_REGEX_LENGTH) throw new RegexError(`has more than ${MAX_REGEX_LENGTH} characters`);
  const node = new Parser(pattern, { i: ignoreCase, m: false, s: false, U: false }).whole();
  checkRepetition(node, 1);
  if (sizeOf(node) > MAX_SIZE)
    throw new RegexError(`is larger than ${MAX_SIZE} characters with all repetitions`);
  try {
    RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException) throw new RegexError(`is not valid: ${error.message}`);
    throw error;
  }
  return node;
}

function checkRepetition(node: Node, around: number): void {
  if (node.kind === "sequence" || node.kind === "choice") {
    for (const part of node.of) checkRepetition(part, around);
  } else if (node.kind === "repeat") {
    const times = around * Math.max(node.min, node.max ?? 1, 1);
    if (times > MAX_REPETITION) throw new RegexError(`repeats a part more than ${MAX_REPETITION} times`);
    checkRepetition(node.of, times);
  }
}

/** Assertions and classes of Unicode cost as many characters as they are counted here. */
function sizeOf(node: Node): number {
  switch (node.kind) {
    case "repeat":
      return sizeOf(node.of) * Math.max(node.min, node.max ?? 1, 1);
    case "sequence":
    case "choice":
      return node.of.reduce((sum, part) => sum + sizeOf(part), 1);
    case "assert":
      return 20;
    case "set":
      return /\\p/i.test(node.source) ? 10 : 1;
    default:
      return 1;
  }
}

type Flags = Readonly<Record<"i" | "m" | "s" | "U", boolean>>;

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  "\\A": "text_start",
  "\\z": "text_end",
  "\\b": "word_edge",
  "\\B": "no_word_edge",
};
/** An escape, as a whole. */
const ESCAPE = /\\(?:[pP]\{[^}]*\}|[pP].|x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|[\s\S])/uy;
const CLASS = /\[\^?\]?(?:\[:\^?[a-z]+:\]|\\(?:[pPx]\{[^}]*\}|[\s\S])|[^\]\\])*\]/uy;
const GROUP = /\((?:\?(?:P?<[A-Za-z0-9_]+>|([imsU]*)(?:-([imsU]+))?([:)])))?/uy;
const COUNT = /[*+?]|\{(\d{1,4})(?:(,)(\d{0,4}))?\}/uy;

class Parser {
  readonly #text: string;
  #at = 0;
  #flags: Flags;

  constructor(text: string, flags: Flags) {
    this.#text = text;
    this.#flags = flags;
  }

  whole(): Node {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw new RegexError('is not valid: unexpected ")"');
    return node;
  }

  #choice(): Node {
    const of = [this.#sequence()];
    while (this.#text[this.#at] === "|") {
      this.#at++;
      of.push(this.#sequence());
    }
    return of.length === 1 ? of[0]! : { kind: "choice", of };
  }

  #sequence(): Node {
    const of: Node[] = [];
    while (this.#at < this.#text.length && !"|)".includes(this.#text[this.#at]!)) {
      const node = this.#atom();
      if (node !== undefined) of.push(this.#repeated(node));
    }
    return of.length === 1 ? of[0]! : { kind: "sequence", of };
  }

  #repeated(node: Node): Node {
    let result = node;
    for (let count = this.#take(COUNT); count !== undefined; count = this.#take(COUNT)) {
      const [text, least, comma, most] = count;
      const min = least === undefined ? (text === "+" ? 1 : 0) : Number(least);
      const max = least === undefined ? (text === "?" ? 1 : undefined) : mostOf(min, comma, most);
      if (this.#text[this.#at] === "?") this.#at++;
      result = { kind: "repeat", of: result, min, max };
    }
    return result;
  }

  #atom(): Node | undefined {
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at)!);
    if (char === "(") return this.#group();
    if (char === "[") return this.#set();
    if (char === "\\") return this.#escape();
    this.#at += char.length;
    if (char === ".") return { kind: "any", newline: this.#flags.s };
    if (char === "^") return { kind: "assert", what: this.#flags.m ? "line_start" : "text_start" };
    if (char === "$") return { kind: "assert", what: this.#flags.m ? "line_end" : "text_end" };
    return { kind: "char", code: char.codePointAt(0)!, ignoreCase: this.#flags.i };
  }

  #group(): Node | undefined {
    const outer = this.#flags;
    const [text, on = "", off = "", end] = this.#take(GROUP)!;
    if (text === "(" && this.#text[this.#at] === "?")
      throw new RegexError('is not valid: unknown group "(?"');
    const flags = { ...outer, ...set(on, true), ...set(off, false) };
    this.#flags = flags;
    if (end === ")") return undefined;
    const node = this.#choice();
    if (this.#text[this.#at] !== ")") throw new RegexError('is not valid: missing ")"');
    this.#at++;
    this.#flags = outer;
    return node;
  }

  #set(): Node {
    const match = this.#take(CLASS);
    if (match === undefined) throw new RegexError('is not valid: missing "]"');
    return { kind: "set", source: match[0], ignoreCase: this.#flags.i };
  }

  #escape(): Node {
    const source = this.#take(ESCAPE)?.[0];
    if (source === undefined) throw new RegexError("is not valid: it ends with a backslash");
    if (source === "\\C") throw new RegexError("must not have \\C: texts are of characters, not of bytes");
    if (source === "\\Q") return this.#quoted();
    const what = ASSERTIONS[source];
    if (what !== undefined) return { kind: "assert", what };
    return { kind: "set", source, ignoreCase: this.#flags.i };
  }

  /** \Q...\E: characters that stand for themselves. What follows repeats the last of them. */
  #quoted(): Node {
    const end = this.#text.indexOf("\\E", this.#at);
    const text = this.#text.slice(this.#at, end === -1 ? undefined : end);
    this.#at = end === -1 ? this.#text.length : end + 2;
    const of = [...text].map((char) => ({
      kind: "char" as const,
      code: char.codePointAt(0)!,
      ignoreCase: this.#flags.i,
    }));
    const last = of.pop();
    return { kind: "sequence", of: last === undefined ? [] : [...of, this.#repeated(last)] };
  }

  #take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const match = expression.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }
}

function mostOf(min: number, comma: string | undefined, most: string | undefined): number | undefined {
  if (comma === undefined) return min;
  return most === "" || most === undefined ? undefined : Number(most);
}

function set(names: string, value: boolean): Partial<Record<keyof Flags, boolean>> {
  return Object.fromEntries([...names].map((name) => [name, value]));
}
