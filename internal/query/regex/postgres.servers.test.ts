import fc from "fast-check";
import { RE2JS } from "re2js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import { RegexError } from "./parse.ts";
import { postgresRegex } from "./postgres.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(4);
});
afterAll(() => database?.close());

const TEXTS = [
  "",
  "a",
  "A",
  "ab",
  "aab\nb",
  "k\u212a",
  "ſs",
  "é",
  "É_x",
  "x-y z",
  "Ωω",
  "日本",
  "😀a",
  "\\d",
  "]",
  "^$",
  "/shop/a",
  "a.b",
  "1 2",
  "\t",
  "}{",
  "ß",
  "ẞ",
  "a\n",
  "\nb",
];

/** Which of the texts a regular expression is found in, by the database. */
async function found(pattern: string, ignoreCase: boolean, texts: readonly string[]): Promise<string[]> {
  const { rows } = await database.pool.query<{ t: string }>(
    "SELECT t FROM unnest($1::text[]) WITH ORDINALITY AS x (t, at) WHERE t ~ $2::text ORDER BY at",
    [texts, postgresRegex(pattern, ignoreCase)],
  );
  return rows.map(({ t }) => t);
}

function byRe2(pattern: string, ignoreCase: boolean, texts: readonly string[]): string[] {
  const re = RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  return texts.filter((text) => re.test(text));
}

const ATOMS = [
  "a",
  "b",
  "k",
  "s",
  "é",
  "Ω",
  "😀",
  "\\n",
  "\\d",
  "\\W",
  "\\S",
  "\\pL",
  "\\PL",
  "\\p{Greek}",
  "[a-c]",
  "[^a]",
  "[]a]",
  "[^]/]",
  "[a-]",
  "[[:alpha:]]",
  "[[:^digit:]_]",
  "[\\d\\]]",
  "[\\pN.]",
  "\\x41",
  "\\x{1F600}",
  "\\.",
  "\\Q.*\\E",
  "\\141",
  ".",
  "^",
  "$",
  "\\A",
  "\\z",
  "\\b",
  "\\B",
  "(?i)",
  "(?s)",
  "(?m)",
  "(?-i)",
  "{",
  "]",
  "-",
  "/",
  "\\t",
];
const regexes = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom(...ATOMS),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => a + b),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie("node"), fc.constantFrom("*", "+", "?", "*?", "{2}", "{0,2}", "{1,}"))
      .map(([a, q]) => `(${a})${q}`),
    fc
      .tuple(tie("node"), fc.constantFrom("?i:", "?s:", "?m:", "?im-s:", "?P<n>", ""))
      .map(([a, f]) => `(${f}${a})`),
  ),
})).node;

test("finds what RE2 finds", async () => {
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(regexes, fc.boolean(), async (pattern, ignoreCase) => {
      let expected: string[];
      try {
        expected = byRe2(pattern, ignoreCase, TEXTS);
      } catch {
        expect(() => postgresRegex(pattern, ignoreCase)).toThrow(RegexError);
        return;
      }
      let actual: string[];
      try {
        actual = await found(pattern, ignoreCase, TEXTS);
      } catch (error) {
        expect(error).toBeInstanceOf(RegexError);
        return;
      }
      tried++;
      expect(actual).toEqual(expected);
    }),
    { numRuns: 800 },
  );
  expect(tried).toBeGreaterThan(300);
}, 180_000);

const HOSTILE = [
  "(a*)*b",
  "(a|aa)+$",
  "(.*)(.*)(.*)(.*)(.*)(.*)x",
  "(a?){50}a{50}",
  "(?:a|b|ab){100}c",
  "\\pL{100}\\pN{100}",
  "(\\b|a)*b",
  "(^|a)*b",
  "(?m)(?:^.*$)*z",
  "(?:\\b\\B|$|^|a)*c",
  `${"(".repeat(100)}a${")*".repeat(77)}`.slice(0, 256),
  `${"(?:".repeat(50)}a${")*".repeat(50)}`,
  "(.{1,50}){2}y",
  "[^a]{100}.{100}.{100}.{100}.{100}x",
  "(?i)(k|s|ss)*x".repeat(15),
  `(${"a|".repeat(120)}b)*c`,
  "(?:(?:(?:.*a)*b)*c)*d",
  "(x+x+)+y",
  "(?s).*".repeat(40),
  "(?:a?b?c?d?e?){100}z",
  "(\\w+\\s?)+\\z",
  "(\\b.){100}x",
  "(?:$|\\b|\\B|^){100}x",
  "(?m)(?:^|$|\\b|.){50}q",
];

test("hostile expressions are matched in bounded time", async () => {
  const text = `${"a".repeat(500)}${"b c".repeat(170)}`;
  const slow: [string, number][] = [];
  for (const pattern of HOSTILE) {
    const begin = performance.now();
    const translated = attempt(pattern);
    const translation = performance.now() - begin;
    if (translation > 500) slow.push([`translating ${pattern}`, translation]);
    if (translated === undefined) continue;
    await database.pool.query("SELECT $1::text ~ $2::text", [text, translated]);
    const took = performance.now() - begin;
    if (took > 5_000) slow.push([pattern, took]);
  }
  expect(slow).toEqual([]);
});

function attempt(pattern: string): string | undefined {
  try {
    return postgresRegex(pattern, false);
  } catch (error) {
    expect(error).toBeInstanceOf(RegexError);
    return undefined;
  }
}

test.each([
  ["a".repeat(257), "more than 256 characters"],
  ["((a{10}){10}){10}", "repeats a part more than 100 times"],
  ["a{101}", "repeats a part"],
  ["(", "is not valid"],
  ["a)", "is not valid"],
  ["[a", "is not valid"],
  ["a**", "is not valid"],
  ["(?:a?b?c?d?e?){100}z", "is larger than"],
  ["(?:$|\\b|\\B|^){100}x", "is larger than"],
  ["\\pL{100}", "is larger than"],
  ["(?=a)", "is not valid"],
  ["(?<!a)", "is not valid"],
  ["(a)\\1", "is not valid"],
  ["\\C", "of characters"],
  ["\\p{Nothing}", "is not valid"],
  ["\\", "is not valid"],
])("%s is refused", (pattern, message) => {
  expect(() => postgresRegex(pattern, false)).toThrow(message);
});
