import fc from "fast-check";
import { expect, test } from "vitest";
import { convertMicros } from "./currency-rates.ts";

test("amounts are converted exactly, and rounded to the micro with halves away from zero", () => {
  expect(convertMicros(100_000_000n, 1.25, 1)).toBe(80_000_000n);
  // 10^18 / 1.1 = 909090909090909090.9...
  expect(convertMicros(10n ** 18n, 1.1, 1)).toBe(909_090_909_090_909_091n);
  expect(convertMicros(1n, 2, 1)).toBe(1n);
  expect(convertMicros(-1n, 2, 1)).toBe(-1n);
  expect(convertMicros(-1n, 2.1, 1)).toBe(0n);
  // 1 EUR = 0.0000001 X: JavaScript writes the rate with an exponent.
  expect(convertMicros(3_000_000n, 1, 1e-7)).toBe(0n);
  expect(convertMicros(3n, 1e-7, 1)).toBe(30_000_000n);
  expect(convertMicros(1n, 1, 1e21)).toBe(undefined);
});

test("without a rate, and beyond 64 bits, nothing is known", () => {
  expect(convertMicros(1n, undefined, 1)).toBe(undefined);
  expect(convertMicros(1n, 1, undefined)).toBe(undefined);
  expect(convertMicros(10n ** 18n, 1, 10)).toBe(undefined);
  expect(convertMicros(10n ** 18n, 1, 9)).toBe(9n * 10n ** 18n);
});

test("any amount and rates of four decimals: the nearest whole number to the fraction", () => {
  const rate = fc.integer({ min: 1, max: 10 ** 8 });
  const amount = fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n });
  fc.assert(
    fc.property(amount, rate, rate, (micros, given, own) => {
      const converted = convertMicros(micros, given / 10_000, own / 10_000);
      if (converted === undefined) return;
      // |converted - micros * own / given| is at most a half.
      const off = 2n * (converted * BigInt(given) - micros * BigInt(own));
      expect(off <= BigInt(given) && off >= -BigInt(given)).toBe(true);
    }),
  );
});
