import { expect, test } from "vitest";
import type { DatePeriod } from "./period.ts";
import { spansOf } from "./spans.ts";

const calendar = { timeZone: "Europe/Berlin", firstDayOfWeek: 1 };
const dates = (startDate: string, endDate: string): DatePeriod => ({ kind: "dates", startDate, endDate });
const plain = { matchDayOfWeek: false, cutToNow: false } as const;
const NOW = Date.UTC(2026, 3, 20, 12);

test("February beside January: 28 days have a partner, three of January are alone", () => {
  const comparison = { kind: "previous_period", ...plain } as const;
  const when = { period: dates("2026-02-01", "2026-02-28"), comparison, granularity: "day" } as const;
  const [february, january] = spansOf(when, calendar, NOW);
  expect([february.edges!.length, january!.edges!.length]).toEqual([29, 32]);
  expect([february.positions, january!.positions]).toEqual([undefined, undefined]);
});

test("the day without its hour 2 leaves the position of that hour to the day before", () => {
  const comparison = { kind: "previous_period", ...plain } as const;
  const when = { period: dates("2026-03-29", "2026-03-29"), comparison, granularity: "hour" } as const;
  const [first, other] = spansOf(when, calendar, NOW);
  expect(first.positions).toEqual([0, 1, ...Array.from({ length: 21 }, (_, at) => at + 3)]);
  expect(other!.positions).toBeUndefined();
});

test("without the dimension time there are no buckets, and without a comparison one span", () => {
  const [first, other] = spansOf({ period: dates("2026-03-01", "2026-03-31") }, calendar, NOW);
  expect(first).toEqual({ start: Date.UTC(2026, 1, 28, 23), end: Date.UTC(2026, 2, 31, 22) });
  expect(other).toBeUndefined();
});
