import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GRANULARITIES, type Granularity } from "./beginnings.ts";
import { bucketEdges, MAX_BUCKETS, partialBuckets } from "./buckets.ts";
import { InvalidField } from "./invalid-field.ts";
import { offsetsWithin } from "./offsets.ts";
import { resolvePeriod } from "./period.ts";
import { DAY, HOUR, localOf, MINUTE, naiveBeginnings, ZONES } from "./testing/naive.ts";

const calendarOf = (timeZone: string, firstDayOfWeek = 1) => ({ timeZone, firstDayOfWeek });

function edgesOf(startDate: string, endDate: string, timeZone: string, granularity: Granularity): number[] {
  const calendar = calendarOf(timeZone);
  return bucketEdges(
    resolvePeriod({ kind: "dates", startDate, endDate }, calendar, 0),
    granularity,
    calendar,
  );
}

const utc = (edges: readonly number[]) => edges.map((edge) => new Date(edge).toISOString().slice(5, 16));
const lengths = (edges: readonly number[], unit: number) =>
  edges.slice(1).map((edge, index) => (edge - edges[index]!) / unit);

describe("known days", () => {
  test("of 23 and 25 hours", () => {
    expect(lengths(edgesOf("2024-03-30", "2024-04-01", "Europe/Berlin", "day"), HOUR)).toEqual([24, 23, 24]);
    expect(lengths(edgesOf("2024-10-26", "2024-10-28", "Europe/Berlin", "day"), HOUR)).toEqual([24, 25, 24]);
    expect(edgesOf("2024-03-31", "2024-03-31", "Europe/Berlin", "hour")).toHaveLength(24);
    expect(edgesOf("2024-10-27", "2024-10-27", "Europe/Berlin", "hour")).toHaveLength(26);
  });

  test("Lord Howe's clock jumps by half an hour: the hour around it has 90 minutes", () => {
    // Local 02:00 became 02:30: minute 0 is shown at 01:00 and then at 03:00.
    const spring = edgesOf("2025-10-05", "2025-10-05", "Australia/Lord_Howe", "hour");
    expect(utc(spring).slice(0, 4)).toEqual(["10-04T13:30", "10-04T14:30", "10-04T16:00", "10-04T17:00"]);
    // Local 02:00 became 01:30, and 02:00 again half an hour later.
    const autumn = edgesOf("2025-04-06", "2025-04-06", "Australia/Lord_Howe", "hour");
    expect(utc(autumn).slice(0, 4)).toEqual(["04-05T13:00", "04-05T14:00", "04-05T15:30", "04-05T16:30"]);
  });

  test("whose midnight does not exist, exists twice, or that were skipped", () => {
    expect(utc(edgesOf("2018-11-04", "2018-11-04", "America/Sao_Paulo", "day"))).toEqual([
      "11-04T03:00",
      "11-05T02:00",
    ]);
    expect(lengths(edgesOf("2023-11-05", "2023-11-05", "America/Havana", "day"), HOUR)).toEqual([25]);
    expect(utc(edgesOf("2011-12-29", "2011-12-31", "Pacific/Apia", "day"))).toEqual([
      "12-29T10:00",
      "12-30T10:00",
      "12-31T10:00",
    ]);
  });

  test("weeks begin on the merchant's day, quarters in January, April, July, October", () => {
    const span = { start: Date.UTC(2024, 0, 3), end: Date.UTC(2024, 0, 17) };
    const weeks = (first: number) => utc(bucketEdges(span, "week", calendarOf("UTC", first)));
    expect(weeks(1)).toEqual(["01-03T00:00", "01-08T00:00", "01-15T00:00", "01-17T00:00"]);
    expect(weeks(7)).toEqual(["01-03T00:00", "01-07T00:00", "01-14T00:00", "01-17T00:00"]);
    expect(weeks(6)).toEqual(["01-03T00:00", "01-06T00:00", "01-13T00:00", "01-17T00:00"]);
    expect(utc(edgesOf("2024-02-10", "2024-07-01", "UTC", "quarter"))).toEqual([
      "02-10T00:00",
      "04-01T00:00",
      "07-01T00:00",
      "07-02T00:00",
    ]);
    expect(edgesOf("1999-12-31", "2002-01-01", "UTC", "year")).toHaveLength(5);
  });
});

test("10,000 buckets are made, one more is refused, and so are millions at once", () => {
  const minutes = (n: number) => bucketEdges({ start: 0, end: n * MINUTE }, "minute", calendarOf("UTC"));
  expect(minutes(MAX_BUCKETS)).toHaveLength(MAX_BUCKETS + 1);
  expect(() => minutes(MAX_BUCKETS + 1)).toThrow(InvalidField);
  expect(() => minutes(50_000_000)).toThrow(/^granularity "minute" must be one that makes at most 10000/);
  expect(edgesOf("1925-01-01", "2024-12-31", "Europe/London", "week")).toHaveLength(5_220);
});

test("partial are buckets that the span cuts, and those that are not over", () => {
  const calendar = calendarOf("Europe/Berlin");
  const partial = (startDate: string, endDate: string, granularity: Granularity, through: string) => {
    const edges = edgesOf(startDate, endDate, "Europe/Berlin", granularity);
    return partialBuckets(edges, granularity, calendar, Date.parse(through));
  };
  const later = "2025-01-01T00:00Z";
  expect(partial("2024-04-01", "2024-04-03", "day", later)).toEqual([false, false, false]);
  // Berlin's 2nd ends at 22:00 UTC.
  expect(partial("2024-04-01", "2024-04-03", "day", "2024-04-02T22:00Z")).toEqual([false, false, true]);
  expect(partial("2024-04-01", "2024-04-03", "day", "2024-04-02T21:59Z")).toEqual([false, true, true]);
  expect(partial("2024-03-31", "2024-05-31", "month", later)).toEqual([true, false, false]);
  expect(partial("2024-04-01", "2024-05-30", "month", later)).toEqual([false, true]);
  expect(partial("2024-04-02", "2024-04-03", "week", later)).toEqual([true]);
  const halfHour = { start: Date.UTC(2024, 3, 1, 0, 30), end: Date.UTC(2024, 3, 1, 2) };
  const hours = bucketEdges(halfHour, "hour", calendar);
  expect(partialBuckets(hours, "hour", calendar, Date.parse(later))).toEqual([true, false]);
});

/** Some hours anywhere since 1973, or around a change of the clock; not on a whole hour. */
const around = (hours: number) =>
  fc
    .record({
      timeZone: fc.constantFrom(...ZONES),
      firstDayOfWeek: fc.integer({ min: 1, max: 7 }),
      minute: fc.integer({ min: Date.UTC(1973, 0) / MINUTE, max: Date.UTC(2035, 0) / MINUTE }),
      atChange: fc.boolean(),
      before: fc.integer({ min: 0, max: hours * 60 }),
      after: fc.integer({ min: 1, max: hours * 60 }),
    })
    .map(({ timeZone, firstDayOfWeek, minute, atChange, before, after }) => {
      const anywhere = Temporal.Instant.fromEpochMilliseconds(minute * MINUTE).toZonedDateTimeISO(timeZone);
      const change = atChange ? anywhere.getTimeZoneTransition("previous") : null;
      const at = change !== null && change.year > 1972 ? change.epochMilliseconds : minute * MINUTE;
      return {
        calendar: { timeZone, firstDayOfWeek },
        span: { start: at - before * MINUTE, end: at + after * MINUTE },
      };
    });

test.each(["minute", "quarter_hour", "hour", "day", "week"] as const)(
  "a %s begins where looking at every minute finds it",
  (granularity) => {
    fc.assert(
      fc.property(around(granularity === "minute" ? 40 : 90), ({ calendar, span }) => {
        const found = naiveBeginnings([span.start, span.end], granularity, calendar);
        const edges = bucketEdges(span, granularity, calendar);
        expect(edges).toEqual([span.start, ...found.filter((time) => time > span.start), span.end]);
        const partial = partialBuckets(edges, granularity, calendar, span.end);
        expect(partial[0]).toBe(found[0] !== span.start || (edges.length === 2 && !endsUnit()));
        expect(partial.at(-1)).toBe(!endsUnit() || (edges.length === 2 && found[0] !== span.start));
        function endsUnit() {
          return naiveBeginnings([span.end, span.end + MINUTE], granularity, calendar).length === 1;
        }
      }),
      { numRuns: 60 },
    );
  },
);

test.each(["month", "quarter", "year"] as const)(
  "a %s begins where every quarter hour finds it",
  (granularity) => {
    fc.assert(
      fc.property(around(1), fc.integer({ min: 10, max: 400 }), ({ calendar, span }, days) => {
        const start = Math.floor(span.start / (15 * MINUTE)) * 15 * MINUTE;
        const end = start + days * DAY;
        const found = naiveBeginnings([start, end], granularity, calendar, 15 * MINUTE);
        const edges = bucketEdges({ start, end }, granularity, calendar);
        expect(edges).toEqual([start, ...found.filter((time) => time > start), end]);
      }),
      { numRuns: 15 },
    );
  },
);

test("edges ascend and cover the span, in every zone and century", () => {
  const days = fc.record({
    timeZone: fc.constantFrom(...Intl.supportedValuesOf("timeZone")),
    start: fc.date({ min: new Date("1900-01-01"), max: new Date("2200-01-01"), noInvalidDate: true }),
    length: fc.integer({ min: 1, max: 80 }),
    granularity: fc.constantFrom(...GRANULARITIES.slice(1)),
  });
  fc.assert(
    fc.property(days, ({ timeZone, start, length, granularity }) => {
      const span = { start: Number(start), end: Number(start) + length * DAY };
      const edges = bucketEdges(span, granularity, calendarOf(timeZone));
      expect([edges[0], edges.at(-1)]).toEqual([span.start, span.end]);
      expect(lengths(edges, 1).every((ms) => ms > 0)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("UTC plus a zone's offset is what its clock shows", () => {
  fc.assert(
    fc.property(around(24 * 200), ({ calendar: { timeZone }, span }) => {
      const offsets = offsetsWithin(span, timeZone);
      expect([offsets[0]!.start, offsets.at(-1)!.end]).toEqual([span.start, span.end]);
      for (const [at, { start, end, offsetMs }] of offsets.entries()) {
        if (at > 0) expect(start).toBe(offsets[at - 1]!.end);
        for (const time of [start, end - MINUTE]) {
          expect(localOf(time + offsetMs, "UTC")).toEqual(localOf(time, timeZone));
        }
      }
    }),
    { numRuns: 200 },
  );
});
