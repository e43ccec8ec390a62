import { expect, test } from "vitest";
import { CURRENCY_CODES, currencyProblem, isCurrent } from "./currencies.ts";

const NOW = Date.UTC(2026, 6, 1);

test("money of today is taken, with what ICU lists and without", () => {
  const codes = "EUR USD IRR LBP VND IDR KWD JPY XCG ZWG SLE SSP VED XOF MRU STN".split(" ");
  expect(codes.map((code) => currencyProblem(code, NOW))).toEqual(codes.map(() => undefined));
  expect(codes.every(isCurrent)).toBe(true);
});

test("funds, units of account and metals are units of ISO 4217 too", () => {
  for (const code of ["CLF", "UYI", "CHW", "XDR", "XAU", "XAG", "XPT"]) {
    expect(currencyProblem(code, NOW)).toBe(undefined);
  }
});

test("the list has as many codes as ISO 4217's table A.1 had on 2026-01-01, less XXX and XTS", () => {
  expect(CURRENCY_CODES).toHaveLength(176);
  expect(new Set(CURRENCY_CODES).size).toBe(176);
});

/** Dates by ISO 4217's table A.3: the kuna's last month was January 2023, the mark's March 2002. */
test.each([
  ["HRK", Date.UTC(2022, 5, 1), undefined],
  ["HRK", Date.UTC(2024, 1, 1) - 1, undefined],
  ["HRK", Date.UTC(2024, 1, 1), "2023-01"],
  ["BGN", Date.UTC(2026, 11, 31), undefined],
  ["BGN", Date.UTC(2027, 1, 1), "2026-01"],
  ["ANG", NOW, "2025-03"],
  ["DEM", NOW, "2002-03"],
  ["DEM", Date.UTC(2003, 2, 31), undefined],
  ["ZWL", NOW, "2024-09"],
] as const)("%s at %i: withdrawn %s", (code, time, month) => {
  const problem = currencyProblem(code, time);
  if (month === undefined) expect(problem).toBe(undefined);
  else expect(problem).toContain(`withdrawn from ISO 4217 in ${month}`);
});

test.each(["EURO", "BTC", "", "€", "E", "eur", "EUR ", "constructor", "__proto__"])(
  "%j is no code",
  (code) => {
    expect(currencyProblem(code, NOW)).toBe("not an ISO 4217 code");
  },
);

test("codes that stand for no currency say so", () => {
  expect(currencyProblem("XXX", NOW)).toContain("no currency");
  expect(currencyProblem("XTS", NOW)).toContain("tests");
});
