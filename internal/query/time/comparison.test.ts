import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Comparison, resolveComparison } from "./comparison.ts";
import { type Period, resolvePeriod } from "./period.ts";
import { HOUR, localOf, ZONES } from "./testing/naive.ts";

const BERLIN = { timeZone: "Europe/Berlin", firstDayOfWeek: 1 };
const NOW = Date.parse("2024-11-20T15:30:20Z");

const dates = (startDate: string, endDate: string): Period => ({ kind: "dates", startDate, endDate });
const to = (kind: Comparison["kind"], fields: Partial<Comparison> = {}): Comparison => ({
  kind,
  matchDayOfWeek: false,
  cutToNow: false,
  ...fields,
});

/** The other period, as Berlin's clock shows its ends. */
function shown(period: Period, comparison: Comparison, calendar = BERLIN, now = NOW): string[] {
  const { start, end } = resolveComparison(period, comparison, calendar, now);
  return [start, end].map((time) => {
    const { year, month, day, hour, minute } = localOf(time, calendar.timeZone);
    const pad = (n: number) => String(n).padStart(2, "0");
    return `${year}-${pad(month)}-${pad(day)} ${pad(hour)}:${pad(minute)}`;
  });
}

/** As dates, of which the last is excluded. */
const days = (...of: Parameters<typeof shown>) => shown(...of).map((text) => text.replace(/ 00:00$/, ""));

describe("previous period", () => {
  const previous = to("previous_period");

  test("of whole days, weeks and months: as many of these, just before", () => {
    expect(days(dates("2024-10-28", "2024-10-28"), previous)).toEqual(["2024-10-27", "2024-10-28"]);
    expect(days(dates("2024-10-21", "2024-11-03"), previous)).toEqual(["2024-10-07", "2024-10-21"]);
    expect(days(dates("2024-03-01", "2024-03-31"), previous)).toEqual(["2024-02-01", "2024-03-01"]);
    expect(days(dates("2024-04-01", "2024-06-30"), previous)).toEqual(["2024-01-01", "2024-04-01"]);
    expect(days(dates("2024-01-01", "2024-12-31"), previous)).toEqual(["2023-01-01", "2024-01-01"]);
    expect(days(dates("2024-03-01", "2024-03-30"), previous)).toEqual(["2024-01-31", "2024-03-01"]);
  });

  test("of hours: as long", () => {
    const hours = (from: string, until: string): Period => ({
      kind: "times",
      startTime: Date.parse(from),
      endTime: Date.parse(until),
    });
    const other = resolveComparison(hours("2024-10-27T00:30Z", "2024-10-27T03:00Z"), previous, BERLIN, NOW);
    expect(other).toEqual({ start: Date.parse("2024-10-26T22:00Z"), end: Date.parse("2024-10-27T00:30Z") });
  });

  test("of this month so far: all of the last, or up to the same local moment", () => {
    const month: Period = { kind: "relative", unit: "month", count: 1, includeCurrent: true };
    expect(shown(month, previous)).toEqual(["2024-10-01 00:00", "2024-11-01 00:00"]);
    expect(shown(month, to("previous_period", { cutToNow: true }))).toEqual([
      "2024-10-01 00:00",
      "2024-10-20 16:30",
    ]);
    // 30 March is more than February has.
    const march = Date.parse("2024-03-30T12:00Z");
    expect(shown(month, to("previous_period", { cutToNow: true }), BERLIN, march)).toEqual([
      "2024-02-01 00:00",
      "2024-03-01 00:00",
    ]);
  });

  test("before a day that the zone skipped", () => {
    const apia = { ...BERLIN, timeZone: "Pacific/Apia" };
    expect(days(dates("2011-12-31", "2011-12-31"), previous, apia)).toEqual(["2011-12-29", "2011-12-31"]);
  });
});

describe("previous year", () => {
  const lastYear = to("previous_year");

  test("has the same dates, 29 February handled", () => {
    expect(days(dates("2024-10-01", "2024-10-15"), lastYear)).toEqual(["2023-10-01", "2023-10-16"]);
    expect(days(dates("2024-02-29", "2024-02-29"), lastYear)).toEqual(["2023-02-28", "2023-03-01"]);
    expect(days(dates("2024-02-28", "2024-02-28"), lastYear)).toEqual(["2023-02-28", "2023-03-01"]);
    expect(days(dates("2024-02-15", "2024-03-15"), lastYear)).toEqual(["2023-02-15", "2023-03-16"]);
    expect(days(dates("2025-02-01", "2025-02-28"), lastYear)).toEqual(["2024-02-01", "2024-03-01"]);
    expect(days(dates("2024-02-01", "2024-02-29"), lastYear)).toEqual(["2023-02-01", "2023-03-01"]);
  });

  test("has the same local times, in another half of the year too", () => {
    const times: Period = {
      kind: "times",
      startTime: Date.parse("2024-10-27T12:00+01:00"),
      endTime: Date.parse("2024-10-27T14:00+01:00"),
    };
    expect(shown(times, lastYear)).toEqual(["2023-10-27 12:00", "2023-10-27 14:00"]);
  });

  test("cut at the same local moment, summer time against winter time", () => {
    const now = Date.parse("2024-04-01T08:15Z");
    const today: Period = { kind: "relative", unit: "day", count: 1, includeCurrent: true };
    const cut = to("previous_year", { cutToNow: true });
    expect(shown(today, cut, BERLIN, now)).toEqual(["2023-04-01 00:00", "2023-04-01 10:15"]);
    // 30 March 2024 was in winter time, a year before in summer time.
    const winter = Date.parse("2024-03-30T08:15Z");
    expect(shown(today, cut, BERLIN, winter)).toEqual(["2023-03-30 00:00", "2023-03-30 09:15"]);
  });
});

test("days are moved to the same day of the week, and never over the period itself", () => {
  const matched = (kind: Comparison["kind"], fields: Partial<Comparison> = {}) =>
    to(kind, { matchDayOfWeek: true, ...fields });
  // A Friday to Sunday; 2023-11-15 was a Wednesday.
  expect(days(dates("2024-11-15", "2024-11-17"), matched("previous_year"))).toEqual([
    "2023-11-17",
    "2023-11-20",
  ]);
  expect(days(dates("2024-11-15", "2024-11-17"), matched("previous_period"))).toEqual([
    "2024-11-08",
    "2024-11-11",
  ]);
  expect(days(dates("2024-11-11", "2024-11-17"), matched("previous_period"))).toEqual([
    "2024-11-04",
    "2024-11-11",
  ]);
  const custom = matched("custom", { period: dates("2024-01-01", "2024-01-02") });
  expect(days(dates("2024-11-15", "2024-11-16"), custom)).toEqual(["2023-12-29", "2023-12-31"]);
});

test("custom periods are checked under their own path; nothing leads before 1900", () => {
  const custom = to("custom", { period: dates("2024-13-01", "2024-01-02") });
  const first = dates("2024-11-15", "2024-11-16");
  expect(() => resolveComparison(first, custom, BERLIN, NOW)).toThrow(
    'comparison.period.dates.start_date "2024-13-01" must be a date',
  );
  expect(() => resolveComparison(first, to("custom"), BERLIN, NOW)).toThrow("comparison.period");
  expect(() =>
    resolveComparison(dates("1900-01-01", "1999-12-31"), to("previous_period"), BERLIN, NOW),
  ).toThrow("comparison.kind");
});

/** The local dates of a span, looked for every half hour, as days since 1970-01-01. */
function datesOf({ start, end }: { start: number; end: number }, timeZone: string): number[] {
  const found = new Set<number>();
  for (let time = start; time < end; time += HOUR / 2) found.add(localOf(time, timeZone).dayNumber);
  return [...found];
}

test("whatever zone and days: the dates that a calendar gives", () => {
  const question = fc.record({
    timeZone: fc.constantFrom(...ZONES.filter((zone) => zone !== "Pacific/Apia")),
    first: fc.date({ min: new Date("1980-01-01"), max: new Date("2030-01-01"), noInvalidDate: true }),
    // No whole months: those have tests of their own.
    count: fc.integer({ min: 1, max: 27 }),
  });
  fc.assert(
    fc.property(question, ({ timeZone, first, count }) => {
      const calendar = { timeZone, firstDayOfWeek: 1 };
      const day = (after: number) => new Date(Number(first) + after * 24 * HOUR).toISOString().slice(0, 10);
      const period = dates(day(0), day(count - 1));
      const own = datesOf(resolvePeriod(period, calendar, NOW), timeZone);
      const other = datesOf(resolveComparison(period, to("previous_period"), calendar, NOW), timeZone);
      expect(other).toEqual(own.map((number) => number - count));
      const year = datesOf(resolveComparison(period, to("previous_year"), calendar, NOW), timeZone);
      const lastYear = (text: string) => {
        const date = text.endsWith("02-29") ? `${text.slice(0, 4)}-02-28` : text;
        return Date.parse(`${Number(date.slice(0, 4)) - 1}${date.slice(4)}`) / (24 * HOUR);
      };
      expect([year[0], year.at(-1)]).toEqual([lastYear(day(0)), lastYear(day(count - 1))]);
    }),
    { numRuns: 150 },
  );
});
