import fc from "fast-check";

/** Half of a surrogate pair, and what else is hard on JSON, UTF-8, SQL, LIKE, objects' keys, and people's eyes. */
const TEXTS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "a\udc00",
  "\udfff\ud800",
  "\u{10ffff}",
  "\ufeff",
  "\u202eabc",
  "\u2028",
  "e\u0301\u0301\u0301",
  "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}",
  "İıſK",
  "'",
  "''",
  '"',
  "\\",
  "\\'",
  "%",
  "_",
  "\\%",
  "$1",
  "$$",
  ":name",
  "?",
  "'; DROP TABLE events; --",
  "' OR '1'='1",
  "x') OR merchant_id > 0 --",
  "' UNION SELECT name FROM merchants --",
  "1; SELECT pg_sleep(60)",
  "(SELECT current_setting('is_superuser'))",
  "E'\\x27'",
  "U&'\\0027'",
  "/*",
  "*/",
  "{}",
  "[]",
  "null",
  "true",
  "NaN",
  "Infinity",
  "-0",
  "1e999",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "../../etc/passwd",
  "<script>",
] as const;

const long = fc
  .constantFrom(256, 257, 1_024, 1_025, 20_000)
  .chain((length) =>
    fc.constantFrom("a", "'", "\\", "%", "*", "é", "😀").map((unit) => unit.repeat(length).slice(0, length)),
  );

/** Letters of which each has another case. */
export const CASED = Array.from({ length: 3_000 }, (_, at) => String.fromCodePoint(0xc0 + at))
  .filter((char) => char.toLowerCase() !== char.toUpperCase())
  .slice(0, 1_024)
  .join("");

/** Texts that are hard on something. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom("\ud83d", "\ude00", "\0", "'", "a"), maxLength: 9 }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      long,
      fc.nat({ max: 500 }).map((from) => CASED.slice(from)),
    ),
  },
);

/** What takes long or much memory to compile or to match, or means another thing to PostgreSQL than to RE2. */
const REGEXES = [
  "(a+)+$",
  "(a|aa)+$",
  "(.*)*x",
  "(a*)*b",
  "((a{10}){10}){10}",
  "a{100}",
  "a{101}",
  "a{2147483648}",
  "(a{1,100}b?){1,1}",
  "(?:a?){100}a{100}",
  "(.{1,50}){2}",
  "(\\pL{1,50}\\PL{1,50})",
  "[\\x00-\\x{10FFFF}]{100}",
  "(?i)[ſK]{50}",
  "(?i:\\p{Greek}+)\\p{Lu}",
  "(?=a)a",
  "(?<!a)b",
  "(a)\\1",
  "\\Qa.b\\E",
  "\\C",
  "(?P<n>a)",
  "[[:alpha:]]",
  "[[.a.]]",
  "[[=a=]]",
  "***=a",
  "***:(?c)a",
  "(?c)a",
  "\\m\\Ma\\y",
  "\\A\\z",
  "^*",
  "a**",
  "(",
  ")",
  "[",
  "[]",
  "[z-a]",
  "\\",
  "|",
  "||a",
  "{",
  "a{,3}",
  "()",
  "(()){100}",
  "\\x{110000}",
  "\\x{d800}",
  "\\p{Nonsense}",
] as const;

const PARTS = [
  "a",
  "b",
  ".",
  "*",
  "+",
  "?",
  "|",
  "(",
  ")",
  "(?:",
  "(?i)",
  "[",
  "]",
  "^",
  "$",
  "{9}",
  "{1,100}",
];
const MORE_PARTS = ["{0,}", "\\", "\\d", "\\pL", "\\b", "-", "[^", "*?", "é", "😀"];

const nested = fc
  .tuple(fc.constantFrom("(", "(?:", "[", "(a|"), fc.constantFrom(")*", ")+", ")", "]", "){2}"))
  .chain(([open, close]) =>
    fc.integer({ min: 1, max: 130 }).map((n) => `${open.repeat(n)}a${close.repeat(n)}`),
  );

/** Regular expressions, some of which are none. */
export const hostileRegex: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...REGEXES) },
  { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom(...PARTS, ...MORE_PARTS), maxLength: 30 }) },
  { weight: 1, arbitrary: nested },
  { weight: 1, arbitrary: hostileText },
);

/** Numbers at edges, and what JSON may have in their place. */
export const hostileNumber: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  ...[0, -0, 1, -1, 0.5, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, -(2 ** 63), 1e300, 5e-324],
  ...["NaN", "Infinity", "-Infinity", "1e3", "99999999999999999999", "0x10", "", null, true],
);
