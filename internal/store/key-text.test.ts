import fc from "fast-check";
import { expect, test } from "vitest";
import { isKeyText, newKeyText } from "./key-text.ts";

// CRC-32 from Python's binascii.crc32(b"ffw_" + b"A" * 43), in base64.urlsafe_b64encode, without padding.
const KNOWN = `ffw_${"A".repeat(43)}GRVjrA`;

test("the check is CRC-32 in base64url, as another implementation finds it", () => {
  expect(isKeyText("write", KNOWN)).toBe(true);
});

test("a new key has the form of its kind, and no other's", () => {
  for (const [kind, other] of [
    ["write", "read"],
    ["read", "write"],
  ] as const) {
    const key = newKeyText(kind);
    expect([key.length, isKeyText(kind, key), isKeyText(other, key)]).toEqual([53, true, false]);
    expect(newKeyText(kind)).not.toBe(key);
  }
});

test("one character changed, left out, added or moved is noticed", () => {
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const change = fc.record({ at: fc.nat(52), to: fc.constantFrom(...characters) });
  fc.assert(
    fc.property(change, ({ at, to }) => {
      const key = newKeyText("write");
      const changed = key.slice(0, at) + to + key.slice(at + 1);
      expect(isKeyText("write", changed)).toBe(changed === key);
      expect(isKeyText("write", key.slice(0, at) + key.slice(at + 1))).toBe(false);
      expect(isKeyText("write", key.slice(0, at) + to + key.slice(at))).toBe(false);
      const swapped = key.slice(0, at) + key.slice(at + 1, at + 2) + key[at] + key.slice(at + 2);
      expect(isKeyText("write", swapped)).toBe(swapped === key);
    }),
  );
});

test("what a guesser or scanner sends is none", () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^ff[wr]_[\w-]{49}$/));
  fc.assert(fc.property(texts, (text) => !isKeyText("write", text)));
});
