import { RE2JS } from "re2js";

/** Code points: from, to, from, to ..., ends included, ascending. */
export type Ranges = readonly number[];

/** re2js's mark of an instruction for one letter in either case. */
const FOLD = 1;

/**
 * The characters that a class of RE2 stands for ("[^a-c]", "\\pL", "\\x{41}"), U+0000 and surrogates left out, as no text
 * of the database has them. re2js reads the class: what it compiles one to are its ranges.
 */
export function rangesOf(source: string, ignoreCase: boolean): Ranges {
  const { runes, isFolded } = compiled(ignoreCase ? `(?i)${source}` : source);
  if (runes.length !== 1) return cut(runes);
  const code = runes[0]!;
  // With another character beside it, a letter in either case is compiled to ranges.
  return isFolded
    ? cut(compiled(`(?i)[\\x{10FFFF}\\x{${code.toString(16)}}]`).runes.slice(0, -2))
    : [code, code];
}

interface Instruction {
  readonly runes?: ArrayLike<number>;
  readonly arg: number;
}

function compiled(source: string): { runes: number[]; isFolded: boolean } {
  const instructions: readonly Instruction[] = RE2JS.compile(source).re2().prog.inst;
  const set = instructions.find(({ runes }) => runes !== undefined && runes.length > 0);
  return { runes: Array.from(set?.runes ?? []), isFolded: set?.arg === FOLD };
}

function cut(ranges: readonly number[]): number[] {
  const result: number[] = [];
  const add = (from: number, to: number) => {
    if (from <= to) result.push(from, to);
  };
  for (let at = 0; at < ranges.length; at += 2) {
    const [from, to] = [Math.max(ranges[at]!, 1), ranges[at + 1]!];
    add(from, Math.min(to, 0xd7ff));
    add(Math.max(from, 0xe000), to);
  }
  return result;
}
