import fc from "fast-check";
import { expect, test } from "vitest";
import { isKeyText, KEY_KINDS, newKeyText } from "./key-text.ts";

// CRC-32 from Python's binascii.crc32(b"ffw_" + b"A" * 43), in base64.urlsafe_b64encode, without padding.
const KNOWN = `ffw_${"A".repeat(43)}GRVjrA`;

test("the check is CRC-32 in base64url, as another implementation finds it", () => {
  expect(isKeyText("write", KNOWN)).toBe(true);
});

test("a new key has the form of its kind, and no other's", () => {
  expect(KEY_KINDS.map((kind) => newKeyText(kind).slice(0, 4))).toEqual(["ffw_", "ffr_", "ffm_"]);
  for (const kind of KEY_KINDS) {
    const key = newKeyText(kind);
    expect(key).toHaveLength(53);
    expect(KEY_KINDS.filter((other) => isKeyText(other, key))).toEqual([kind]);
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
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^ff[wrm]_[\w-]{49}$/));
  fc.assert(fc.property(texts, (text) => !isKeyText("write", text)));
});
