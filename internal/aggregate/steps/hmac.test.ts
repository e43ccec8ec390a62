import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { HmacSha256 } from "./hmac.ts";

test("is the HMAC-SHA-256 of node:crypto, text after text", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "binary", minLength: 900, maxLength: 3_000 }),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(text, { minLength: 1, maxLength: 5 }),
      (key, texts) => {
        const hmac = new HmacSha256(key);
        for (const one of texts)
          expect(hmac.digest(one)).toBe(createHmac("sha256", key).update(one).digest("latin1"));
      },
    ),
  );
});

test("a key that RFC 2104 would hash first is refused", () => {
  expect(() => new HmacSha256(new Uint8Array(65))).toThrow("65 bytes");
});
