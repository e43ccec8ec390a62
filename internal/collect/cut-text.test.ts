import fc from "fast-check";
import { expect, test } from "vitest";
import { cutAddress } from "./cut-address.ts";
import { cutText } from "./cut-text.ts";

const characters = (text: string) => [...text].length;
const texts = fc.string({ unit: "grapheme", maxLength: 200 });

test.each([
  ["letters", "abcdef", 3, "abc"],
  ["what is short enough", "abc", 3, "abc"],
  ["a surrogate pair", "ab\u{1f6cd}c", 3, "ab\u{1f6cd}"],
  ["... which is one character", "ab\u{1f6cd}", 2, "ab"],
  ["a letter with a mark", "abe\u0301x", 3, "ab"],
  ["an emoji of several parts", "a\u{1f469}\u200d\u{1f52c}b", 2, "a"],
  ["a flag", "a\u{1f1e9}\u{1f1ea}b", 2, "a"],
  ["endless marks", `a${"\u0301".repeat(500)}`, 300, `a${"\u0301".repeat(299)}`],
])("%s", (_, text, limit, kept) => {
  expect(cutText(text, limit)).toBe(kept);
});

test("a cut text is the beginning of the text, well-formed, and no longer than the limit", () => {
  fc.assert(
    fc.property(texts, fc.nat(220), (text, limit) => {
      const kept = cutText(text, limit);
      expect(text.startsWith(kept)).toBe(true);
      expect(kept.isWellFormed()).toBe(true);
      expect(characters(kept)).toBeLessThanOrEqual(limit);
      if (characters(text) <= limit) expect(kept).toBe(text);
    }),
  );
});

test.each([
  [
    "the longest parameter",
    "https://a/p?utm_id=x&q=yyyyyyyyyyyy&b=1#f",
    37,
    "https://a/p?utm_id=x&q=yyyyyyyy&b=1#f",
  ],
  ["no part of an escape", "https://a/?qqqqqq=%C3%A9%C3%A9", 23, "https://a/?qqqqqq="],
  ["a path that is too long", "https://a/pppppppp?q=1", 12, "https://a/pp"],
  ["an address without parameters", "https://a/pppppppp", 12, "https://a/pp"],
])("of an address, %s is cut", (_, text, limit, kept) => {
  expect(cutAddress(text, limit)).toBe(kept);
});

const parameter = fc.string({ unit: fc.constantFrom(..."aé%C3&=\u{1f6cd}"), maxLength: 60 });

test("a cut address keeps its path, the order and names of short parameters, and the limit", () => {
  fc.assert(
    fc.property(fc.array(parameter, { maxLength: 12 }), fc.integer({ min: 40, max: 200 }), (parts, limit) => {
      const text = `https://shop.example/p?utm_id=1&${parts.join("&")}`;
      const kept = cutAddress(text, limit);
      expect(characters(kept)).toBeLessThanOrEqual(limit);
      expect(kept.isWellFormed()).toBe(true);
      expect(kept.startsWith("https://shop.example/p")).toBe(true);
      if (characters(text) <= limit) expect(kept).toBe(text);
      else if (limit > 23 + 13 * 10) expect(kept).toContain("?utm_id=1");
    }),
  );
});

test("a hostile address is cut in no time", () => {
  for (const unit of ["&", "&a=%c3", "%", "?#", "\u0301", "&\u{1f6cd}"]) {
    const text = `https://a/?${unit.repeat(32_768 / unit.length)}`;
    const started = performance.now();
    expect(characters(cutAddress(text, 8_192))).toBeLessThanOrEqual(8_192);
    expect(performance.now() - started).toBeLessThan(200);
  }
});
