import { randomBytes, randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hashedVisitorId, isGuessable, merchantVisitorKey, storedVisitorId } from "./visitor-id.ts";

const guessable = (id: string) => isGuessable(Buffer.from(id), 0, Buffer.byteLength(id));

test.each([
  "jane@example.org",
  "0190b3c4-7a2e-7abc-8def-0123456789ab@shop.example",
  "+49 30 123456",
  "0049 (30) 12-34-56",
  "4711",
  "123456789012",
  "7261234567890",
  "a",
  "jane.doe",
  "JaneDoeFromBerlin1984",
  "customer-0000012345",
  "shop.example.user.12345",
  "Müller, Jürgen",
  "1984-05-17",
  "a1b2c3d4e5",
  "name ".repeat(100),
])("%s can be guessed", (id) => {
  expect(guessable(id)).toBe(true);
});

test.each([
  "0190b3c4-7a2e-7abc-8def-0123456789ab",
  "9f86d081884c7d659a2feaa0c55ad015",
  "9f86d081884c7d65",
  "GA1.1.1116446470.1596403881",
  "fb.1.1596403881668.1116446470",
  "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "V1StGXR8_Z5jdHi6B-myT",
  "auth0|5f7c8ec7c33c6c004bbafe82",
  "hmac:2ed0ad8a161717733913a94e0adc28b1",
])("%s cannot", (id) => {
  expect(guessable(id)).toBe(false);
});

test("random ids of libraries cannot", () => {
  for (let round = 0; round < 1_000; round++) {
    expect(guessable(randomUUID())).toBe(false);
    expect(guessable(randomBytes(16).toString("hex"))).toBe(false);
  }
});

// printf 'visitor ids of merchant 7' | openssl dgst -sha256 -mac HMAC -macopt hexkey:(64 zeros), and so on.
const KEY = "e530ec87916e930c2d8a68903055f319190123cd6a48059cad1f5faa25f89517";
const JANE = "hmac:2ed0ad8a161717733913a94e0adc28b1";

test("key and hash are HMACs, as openssl makes them", () => {
  expect(merchantVisitorKey(Buffer.alloc(32), 7).toString("hex")).toBe(KEY);
  expect(hashedVisitorId(Buffer.from(KEY, "hex"), Buffer.from("jane@example.org"))).toBe(JANE);
});

test("what is stored is stored of itself, too: who is erased can be named by either", () => {
  const key = Buffer.from(KEY, "hex");
  expect(storedVisitorId(key, "jane@example.org")).toBe(JANE);
  expect(storedVisitorId(key, "a1".repeat(129))).toMatch(/^sha256:[0-9a-f]{64}$/);
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 300 }), (id) => {
      const stored = storedVisitorId(key, id);
      expect(storedVisitorId(key, stored)).toBe(stored);
    }),
  );
});

test("another merchant, and another installation, have other hashes", () => {
  const secrets = [randomBytes(32), randomBytes(32)];
  const hashes = secrets.flatMap((secret) =>
    [1, 2].map((merchant) => storedVisitorId(merchantVisitorKey(secret, merchant), "4711")),
  );
  expect(new Set(hashes).size).toBe(4);
});
