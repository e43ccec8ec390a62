import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Granularity } from "./beginnings.ts";
import { timeZoneNamed } from "./calendar.ts";
import { InvalidField } from "./invalid-field.ts";
import { type Period, resolvePeriod } from "./period.ts";
import { DAY, HOUR, localOf, MINUTE, naiveBeginnings, ZONES } from "./testing/naive.ts";

const BERLIN = { timeZone: "Europe/Berlin", firstDayOfWeek: 1 };
/** A Wednesday, 2024-10-30T15:40:20 in Berlin. */
const NOW = Date.parse("2024-10-30T14:40:20Z");

const dates = (startDate: string, endDate: string): Period => ({ kind: "dates", startDate, endDate });
const times = (startTime: number, endTime: number): Period => ({ kind: "times", startTime, endTime });
const last = (count: number, unit: Granularity, includeCurrent = false): Period => ({
  kind: "relative",
  unit,
  count,
  includeCurrent,
});

const shown = (period: Period, calendar = BERLIN, now = NOW) => {
  const { start, end } = resolvePeriod(period, calendar, now);
  return [start, end].map((time) => new Date(time).toISOString().slice(0, 16));
};

test("dates are whole local days", () => {
  expect(shown(dates("2024-03-31", "2024-03-31"))).toEqual(["2024-03-30T23:00", "2024-03-31T22:00"]);
  expect(shown(dates("2011-12-29", "2011-12-31"), { ...BERLIN, timeZone: "Pacific/Apia" })).toEqual([
    "2011-12-29T10:00",
    "2011-12-31T10:00",
  ]);
});

describe("relative periods", () => {
  test("without the current unit end where it begins", () => {
    expect(shown(last(1, "day"))).toEqual(["2024-10-28T23:00", "2024-10-29T23:00"]);
    // Over the change of the clock on 27 October.
    expect(shown(last(7, "day"))).toEqual(["2024-10-22T22:00", "2024-10-29T23:00"]);
    expect(shown(last(1, "week"))).toEqual(["2024-10-20T22:00", "2024-10-27T23:00"]);
    expect(shown(last(1, "week"), { ...BERLIN, firstDayOfWeek: 7 })).toEqual([
      "2024-10-19T22:00",
      "2024-10-26T22:00",
    ]);
    expect(shown(last(2, "month"))).toEqual(["2024-07-31T22:00", "2024-09-30T22:00"]);
    expect(shown(last(1, "quarter"))).toEqual(["2024-06-30T22:00", "2024-09-30T22:00"]);
    expect(shown(last(1, "year"))).toEqual(["2022-12-31T23:00", "2023-12-31T23:00"]);
    expect(shown(last(24, "hour"))).toEqual(["2024-10-29T14:00", "2024-10-30T14:00"]);
    expect(shown(last(30, "minute"))).toEqual(["2024-10-30T14:10", "2024-10-30T14:40"]);
  });

  test("with the current unit end with the minute that now lies in", () => {
    expect(shown(last(1, "day", true))).toEqual(["2024-10-29T23:00", "2024-10-30T14:41"]);
    expect(shown(last(30, "minute", true))).toEqual(["2024-10-30T14:11", "2024-10-30T14:41"]);
    expect(shown(last(1, "month", true))).toEqual(["2024-09-30T22:00", "2024-10-30T14:41"]);
    expect(shown(last(1, "minute", true), BERLIN, Date.parse("2024-10-30T14:40Z"))).toEqual([
      "2024-10-30T14:40",
      "2024-10-30T14:41",
    ]);
  });

  test("a day that the zone skipped is none of the last days", () => {
    const apia = { ...BERLIN, timeZone: "Pacific/Apia" };
    const noon = Date.parse("2011-12-31T12:00+14:00");
    expect(shown(last(1, "day"), apia, noon)).toEqual(["2011-12-29T10:00", "2011-12-30T10:00"]);
  });

  test("whatever zone, unit and moment: as a look at every minute backwards", () => {
    const question = fc.record({
      timeZone: fc.constantFrom(...ZONES),
      firstDayOfWeek: fc.integer({ min: 1, max: 7 }),
      unit: fc.constantFrom<Granularity>("minute", "quarter_hour", "hour", "day", "week"),
      count: fc.integer({ min: 1, max: 4 }),
      now: fc.integer({ min: Date.UTC(1973, 0), max: Date.UTC(2035, 0) }),
      includeCurrent: fc.boolean(),
    });
    fc.assert(
      fc.property(question, ({ timeZone, firstDayOfWeek, unit, count, now, includeCurrent }) => {
        const calendar = { timeZone, firstDayOfWeek };
        const reach = { week: 36 * DAY, day: 7 * DAY }[unit as string] ?? 7 * HOUR;
        const from = Math.floor((now - reach) / MINUTE) * MINUTE;
        const found = naiveBeginnings([from, now + 1], unit, calendar);
        const span = resolvePeriod(last(count, unit, includeCurrent), calendar, now);
        expect(span.start).toBe(found.at(includeCurrent ? -count : -count - 1));
        expect(span.end).toBe(includeCurrent ? Math.floor(now / MINUTE) * MINUTE + MINUTE : found.at(-1));
      }),
      { numRuns: 100 },
    );
  });
});

test.each<[Period, string, string]>([
  [dates("2024-02-30", "2024-03-01"), "period.dates.start_date", "a date of the form YYYY-MM-DD"],
  [dates("20240201", "2024-03-01"), "period.dates.start_date", "a date of the form YYYY-MM-DD"],
  [dates("2024-03-02", "2024-03-01"), "period.dates.start_date", 'no later than end_date "2024-03-01"'],
  [dates("1899-12-31", "1900-01-01"), "period.dates.start_date", "between 1900-01-01 and 9999-12-30"],
  [dates("2024-01-01", "9999-12-31"), "period.dates.end_date", "between 1900-01-01 and 9999-12-30"],
  [dates("1900-01-01", "2000-01-02"), "period.dates.end_date", "at most 100 years after the start"],
  [times(30_000, 60_000), "period.times.start_time", "a whole minute"],
  [times(0, Number.NaN), "period.times.end_time", "between 1900-01-01 and 9999-12-30"],
  [times(60_000, 60_000), "period.times.start_time", 'before end_time "1970-01-01T00:01:00Z"'],
  [last(0, "day"), "period.relative.count", "a whole number from 1 to 10000"],
  [last(10_001, "day"), "period.relative.count", "a whole number from 1 to 10000"],
  [last(101, "year"), "period.relative.count", "at most 100 years after the start"],
  [last(10_000, "year"), "period.relative.count", "few enough to begin after 1900-01-01"],
])("%j is refused, with field and what is allowed", (period, field, allowed) => {
  const resolve = () => resolvePeriod(period, BERLIN, NOW);
  expect(resolve).toThrow(InvalidField);
  expect(resolve).toThrow(expect.objectContaining({ field, allowed, kind: "invalid" }));
});

test("100 years are a period, and so is a day of 1900", () => {
  expect(shown(dates("1924-01-01", "2023-12-31"))[0]).toBe("1923-12-31T23:00");
  expect(localOf(resolvePeriod(dates("1900-01-01", "1900-01-01"), BERLIN, NOW).start, "UTC").year).toBe(1899);
  expect(() =>
    resolvePeriod(dates("2011-12-30", "2011-12-30"), { ...BERLIN, timeZone: "Pacific/Apia" }, NOW),
  ).toThrow('period.dates.start_date "2011-12-30" must be a day that Pacific/Apia has had');
});

test("a time zone is one of the IANA names, in its usual spelling", () => {
  expect(timeZoneNamed("asia/kathmandu")).toBe("Asia/Kathmandu");
  for (const name of ["", "+05:45", "Europe/Bielefeld", "Berlin'; --"]) {
    expect(() => timeZoneNamed(name)).toThrow(`scope.time_zone "${name}" must be the name`);
  }
});
