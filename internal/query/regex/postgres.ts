import { LRUCache } from "lru-cache";
import { type Ranges, rangesOf } from "./char-set.ts";
import { type Assertion, type Node, parseRegex, RegexError } from "./parse.ts";

/** How many ranges of characters it may have in all: \pL has some 650. */
const MAX_RANGES = 5_000;

const WORD = "[0-9A-Za-z_]";
const ASSERTIONS: Readonly<Record<Assertion, string>> = {
  text_start: "\\A",
  text_end: "\\Z",
  line_start: "^",
  line_end: "$",
  // PostgreSQL's own \y takes the letters of the database's locale for a word's; RE2 those of ASCII.
  word_edge: `(?:(?<!${WORD})(?=${WORD})|(?<=${WORD})(?!${WORD}))`,
  no_word_edge: `(?:(?<!${WORD})(?!${WORD})|(?<=${WORD})(?=${WORD}))`,
};

/** What patterns and classes came to: re2js takes up to 1 ms for one, and texts that ignore case have a class a letter. */
const KEPT = { maxSize: 4 << 20, sizeCalculation: (text: string, key: string) => text.length + key.length };
const written = new LRUCache<string, string>(KEPT);
const writtenSets = new LRUCache<string, string>(KEPT);

/**
 * A regular expression of RE2 as PostgreSQL's (operator ~), which finds the same texts, whatever the locale. No captures
 * and nothing lazy is in it, so that PostgreSQL matches by an automaton alone, in time that grows with the text.
 *
 * @throws RegexError
 */
export function postgresRegex(pattern: string, ignoreCase: boolean): string {
  const key = `${ignoreCase ? "i" : "c"}${pattern}`;
  let regex = written.get(key);
  if (regex === undefined) {
    regex = writeRegex(parseRegex(pattern, ignoreCase));
    written.set(key, regex);
  }
  return regex;
}

/** @throws RegexError for classes that are too large. */
export function writeRegex(node: Node): string {
  // (?w): ^ and $ know lines, and nothing else does.
  return `(?w)${new Writer().write(node)}`;
}

class Writer {
  #ranges = 0;

  write(node: Node): string {
    switch (node.kind) {
      case "char":
        if (!node.ignoreCase || !hasCase(node.code)) return charOf(node.code);
        return this.#set(`\\x{${node.code.toString(16)}}`, true);
      case "set":
        return this.#set(node.source, node.ignoreCase);
      case "any":
        return node.newline ? "." : "[^\\n]";
      case "assert":
        return ASSERTIONS[node.what];
      case "sequence":
        return node.of.map((part) => this.write(part)).join("");
      case "choice":
        return `(?:${node.of.map((part) => this.write(part)).join("|")})`;
      case "repeat":
        return `(?:${this.write(node.of)})${countOf(node)}`;
    }
  }

  #set(source: string, ignoreCase: boolean): string {
    const key = `${ignoreCase ? "i" : "c"}${source}`;
    const text = writtenSets.get(key) ?? setOf(rangesOf(source, ignoreCase));
    writtenSets.set(key, text);
    this.#ranges += text.split("-").length;
    if (this.#ranges > MAX_RANGES) throw new RegexError("has too many classes of very many characters");
    return text;
  }
}

function countOf({ min, max }: Extract<Node, { kind: "repeat" }>): string {
  if (max === undefined && min < 2) return min === 0 ? "*" : "+";
  if (min === 0 && max === 1) return "?";
  return max === undefined ? `{${min},}` : `{${min},${max}}`;
}

function hasCase(code: number): boolean {
  const char = String.fromCodePoint(code);
  return code > 0x7f || char.toLowerCase() !== char.toUpperCase();
}

function setOf(ranges: Ranges): string {
  if (ranges.length === 0) throw new RegexError("has a class of no characters");
  const parts: string[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    const [from, to] = [ranges[at]!, ranges[at + 1]!];
    parts.push(from === to ? charOf(from) : `${charOf(from)}-${charOf(to)}`);
  }
  return `[${parts.join("")}]`;
}

/** A character that stands for itself, in and out of brackets. */
function charOf(code: number): string {
  const char = String.fromCodePoint(code);
  if (/[0-9A-Za-z]/.test(char)) return char;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}
