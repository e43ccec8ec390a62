import fc from "fast-check";
import { expect, test } from "vitest";
import { readDecimal } from "./decimal.ts";
import { readTime } from "./time.ts";

/** The time as ms since 1970, with what is finer behind it. */
const msOf = (value: unknown) => {
  const time = readTime(value);
  return time && Number(time.seconds) * 1_000 + time.nanos / 1e6;
};

test.each([
  ["2026-11-29T10:00:00Z", "2026-11-29T10:00:00.000Z"],
  ["2026-11-29t10:00:00z", "2026-11-29T10:00:00.000Z"],
  ["2026-11-29 10:00:00Z", "2026-11-29T10:00:00.000Z"],
  ["2026-11-29 10:00:00 UTC", "2026-11-29T10:00:00.000Z"],
  ["2026-11-29T10:00Z", "2026-11-29T10:00:00.000Z"],
  ["2026-11-29T10:00:00.123456Z", "2026-11-29T10:00:00.123Z"],
  ["2026-11-29T10:00:00,5Z", "2026-11-29T10:00:00.500Z"],
  ["2026-11-29T10:00:00+05:30", "2026-11-29T04:30:00.000Z"],
  ["2026-11-29T10:00:00.25-0330", "2026-11-29T13:30:00.250Z"],
  ["2026-11-29T10:00:00+01", "2026-11-29T09:00:00.000Z"],
  ["2024-02-29T00:00:00-00:00", "2024-02-29T00:00:00.000Z"],
  ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"],
  ["Sun, 29 Nov 2026 10:00:00 GMT", "2026-11-29T10:00:00.000Z"],
  ["Sun Nov 29 2026 10:00:00 GMT+0530 (India Standard Time)", "2026-11-29T04:30:00.000Z"],
  [1_764_450_000, "2025-11-29T21:00:00.000Z"],
  ["1764450000", "2025-11-29T21:00:00.000Z"],
  [1_764_450_000.25, "2025-11-29T21:00:00.250Z"],
  [1_764_450_000_000, "2025-11-29T21:00:00.000Z"],
  ["1764450000123", "2025-11-29T21:00:00.123Z"],
  [1_764_450_000_123_456, "2025-11-29T21:00:00.123Z"],
  ["1764450000123456789", "2025-11-29T21:00:00.123Z"],
  [{ seconds: "1764450000", nanos: 5_000_000 }, "2025-11-29T21:00:00.005Z"],
])("%j is %s", (value, iso) => {
  expect(Math.floor(msOf(value)!)).toBe(Date.parse(iso));
});

test.each([
  "2026-11-29T10:00:00",
  "2026-11-29 10:00:00",
  "2026-11-29",
  "2026-02-30T10:00:00Z",
  "2026-13-01T10:00:00Z",
  "2026-11-29T24:30:00Z",
  "2026-11-29T10:61:00Z",
  "29/11/2026 10:00 UTC",
  "Sun, 29 Nov 2026 10:00:00",
  "now",
  "NaN",
  "1e400",
  true,
  [],
  {},
  ["2026-11-29T10:00:00Z"],
  { seconds: "x" },
])("%j is no time", (value) => {
  expect(readTime(value)).toBeUndefined();
});

test("the nanoseconds of a text are kept", () => {
  expect(readTime("2026-11-29T10:00:00.123456789Z")).toEqual({ seconds: 1_795_946_400n, nanos: 123_456_789 });
  expect(readTime("1969-12-31T23:59:59.5Z")).toEqual({ seconds: -1n, nanos: 500_000_000 });
});

test("any time that JavaScript writes is read as itself", () => {
  const dates = fc.date({ min: new Date("1000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(dates, (date) => {
      expect(msOf(date.toISOString())).toBeCloseTo(date.getTime(), 3);
      const second = Math.floor(date.getTime() / 1_000) * 1_000;
      if (date.getUTCFullYear() > 1970) expect(msOf(date.toUTCString())).toBe(second);
    }),
  );
});

test.each([
  ["12.5", 6, 12_500_000n, true],
  [2.5, 6, 2_500_000n, true],
  ["-1.0000005", 6, -1_000_001n, false],
  ["1.0000004", 6, 1_000_000n, false],
  ["1e3", 0, 1_000n, true],
  [1e21, 0, 10n ** 21n, true],
  [".5", 0, 1n, false],
  ["12345678901234567890", 0, 12_345_678_901_234_567_890n, true],
])("%s times 10^%i is %s", (value, scale, wanted, isExact) => {
  expect(readDecimal(value, scale)).toEqual({ value: wanted, isExact });
});

test.each([
  "",
  " ",
  ".",
  "e5",
  "1,000",
  "0x10",
  "NaN",
  "Infinity",
  Number.NaN,
  "9".repeat(101),
  null,
  [],
  "1e9999",
])("%j is no decimal number", (value) => {
  expect(readDecimal(value)).toBeUndefined();
});
