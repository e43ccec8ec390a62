import fc from "fast-check";
import { expect, test } from "vitest";
import { Failure } from "../../failure/failure.ts";
import { checkPageToken, type PageToken, parsePageToken, printPageToken } from "./page-token.ts";

const KEY = "key of a question";

const tokens: fc.Arbitrary<PageToken> = fc.record({
  offset: fc.integer({ min: 1, max: 1e12 }),
  now: fc.integer({ min: 1, max: 4e12 }),
  revision: fc.string({ unit: fc.constantFrom(..."azAZ09-_"), minLength: 24, maxLength: 24 }),
});

function read(text: string, key: string): PageToken {
  const token = parsePageToken(text);
  checkPageToken(token, key);
  const { text: _, ...rest } = token;
  return rest;
}

function reasonFor(text: string, key: string): unknown {
  try {
    return read(text, key);
  } catch (error) {
    return error instanceof Failure && error.field === "page_token" ? error.reason : error;
  }
}

test("a token comes back as it was, and fits into a line", () => {
  fc.assert(
    fc.property(tokens, (token) => {
      const text = printPageToken(token, KEY);
      expect(read(text, KEY)).toEqual(token);
      expect(text).toMatch(/^[\w.-]{50,90}$/);
    }),
  );
});

test("one of another question, one that was changed, and any other text are refused", () => {
  fc.assert(
    fc.property(tokens, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (token, at, character) => {
      const text = printPageToken(token, KEY);
      expect(reasonFor(text, "another question")).toBe("PAGE_TOKEN_INVALID");
      const place = at % text.length;
      const changed = text.slice(0, place) + character + text.slice(place + 1);
      if (changed !== text) expect(reasonFor(changed, KEY)).toBe("PAGE_TOKEN_INVALID");
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-ascii", maxLength: 200 }), (text) => {
      expect(reasonFor(text, KEY)).toBe("PAGE_TOKEN_INVALID");
    }),
  );
});
