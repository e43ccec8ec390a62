import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidInput } from "../errors.ts";
import { bucketEdges, type Granularity, MAX_BUCKETS } from "./edges.ts";
import { spanOf } from "./range.ts";

const HOUR = 3_600_000;

function edgesOf(start: string, end: string, timeZone: string, granularity: Granularity): number[] {
  return bucketEdges(spanOf({ kind: "dates", start, end }, timeZone), timeZone, granularity);
}

const utc = (edges: readonly number[]) => edges.map((edge) => new Date(edge).toISOString().slice(5, 16));
const lengths = (edges: readonly number[], unit: number) =>
  edges.slice(1).map((edge, index) => (edge - edges[index]!) / unit);

test("days of 23 and 25 hours", () => {
  expect(lengths(edgesOf("2024-03-30", "2024-04-01", "Europe/Berlin", "day"), HOUR)).toEqual([24, 23, 24]);
  expect(lengths(edgesOf("2024-10-26", "2024-10-28", "Europe/Berlin", "day"), HOUR)).toEqual([24, 25, 24]);
  expect(edgesOf("2024-03-31", "2024-03-31", "Europe/Berlin", "hour")).toHaveLength(24);
  expect(edgesOf("2024-10-27", "2024-10-27", "Europe/Berlin", "hour")).toHaveLength(26);
});

test("zones of 45 and 30 minutes", () => {
  expect(utc(edgesOf("2024-01-01", "2024-01-02", "Asia/Kathmandu", "day"))).toEqual([
    "12-31T18:15",
    "01-01T18:15",
    "01-02T18:15",
  ]);
  expect(utc(edgesOf("2024-01-01", "2024-01-01", "Asia/Kolkata", "hour")).slice(0, 2)).toEqual([
    "12-31T18:30",
    "12-31T19:30",
  ]);
});

test("Lord Howe's clock jumps by half an hour: the hour around it has 90 minutes", () => {
  // Local 02:00 became 02:30: minute 0 is shown at 01:00 and then at 03:00.
  const spring = edgesOf("2025-10-05", "2025-10-05", "Australia/Lord_Howe", "hour");
  expect(utc(spring).slice(0, 4)).toEqual(["10-04T13:30", "10-04T14:30", "10-04T16:00", "10-04T17:00"]);
  // Local 02:00 became 01:30, and 02:00 again half an hour later.
  const autumn = edgesOf("2025-04-06", "2025-04-06", "Australia/Lord_Howe", "hour");
  expect(utc(autumn).slice(0, 4)).toEqual(["04-05T13:00", "04-05T14:00", "04-05T15:30", "04-05T16:30"]);
  expect(lengths(edgesOf("2025-10-05", "2025-10-06", "Australia/Lord_Howe", "day"), HOUR)).toEqual([
    23.5, 24,
  ]);
});

test("a day whose midnight does not exist begins with its first instant", () => {
  expect(utc(edgesOf("2018-11-04", "2018-11-04", "America/Sao_Paulo", "day"))).toEqual([
    "11-04T03:00",
    "11-05T02:00",
  ]);
  expect(utc(edgesOf("2024-04-26", "2024-04-26", "Africa/Cairo", "day"))).toEqual([
    "04-25T22:00",
    "04-26T21:00",
  ]);
});

test("a day whose midnight exists twice begins at the first", () => {
  expect(lengths(edgesOf("2023-11-05", "2023-11-05", "America/Havana", "day"), HOUR)).toEqual([25]);
});

test("a day that the zone skipped is no bucket", () => {
  expect(utc(edgesOf("2011-12-29", "2011-12-31", "Pacific/Apia", "day"))).toEqual([
    "12-29T10:00",
    "12-30T10:00",
    "12-31T10:00",
  ]);
});

test("weeks begin on local Monday, months on the first; both are cut at the range", () => {
  expect(utc(edgesOf("2024-01-03", "2024-01-16", "UTC", "week"))).toEqual([
    "01-03T00:00",
    "01-08T00:00",
    "01-15T00:00",
    "01-17T00:00",
  ]);
  expect(utc(edgesOf("2023-12-31", "2024-02-01", "UTC", "month"))).toEqual([
    "12-31T00:00",
    "01-01T00:00",
    "02-01T00:00",
    "02-02T00:00",
  ]);
});

test("a span within one bucket is one bucket", () => {
  const span = { start: Date.UTC(2024, 0, 1, 0, 7), end: Date.UTC(2024, 0, 1, 0, 8) };
  for (const granularity of ["minute", "quarter_hour", "hour", "day", "week", "month"] as const) {
    expect(bucketEdges(span, "Asia/Kathmandu", granularity)).toEqual([span.start, span.end]);
  }
});

test("10,000 buckets are made, one more is refused, and so are millions at once", () => {
  const minutes = (n: number) => bucketEdges({ start: 0, end: n * 60_000 }, "UTC", "minute");
  expect(minutes(MAX_BUCKETS)).toHaveLength(MAX_BUCKETS + 1);
  expect(() => minutes(MAX_BUCKETS + 1)).toThrow(InvalidInput);
  expect(() => minutes(50_000_000)).toThrow(
    'granularity "minute" makes more than 10000 buckets of the range',
  );
  expect(edgesOf("1925-01-01", "2024-12-31", "Europe/London", "week")).toHaveLength(5_220);
  expect(() => edgesOf("1925-01-01", "2024-12-31", "Europe/London", "day")).toThrow(InvalidInput);
});

const zone = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
const day = fc.date({
  min: new Date("1900-01-01"),
  max: new Date("2099-12-31"),
  noInvalidDate: true,
});
const spanInZone = fc
  .record({ zone, day, days: fc.integer({ min: 0, max: 150 }) })
  .map(({ zone, day, days }) => {
    const start = Temporal.PlainDate.from(day.toISOString().slice(0, 10));
    // A day more, so that a range of one skipped day does not come up.
    const end = start.add({ days: days + 1 });
    return { zone, start, span: spanOf({ kind: "dates", start: `${start}`, end: `${end}` }, zone) };
  });

test("edges ascend strictly and cover the span exactly", () => {
  const granularity = fc.constantFrom(
    "quarter_hour",
    "hour",
    "day",
    "week",
    "month",
  ) as fc.Arbitrary<Granularity>;
  fc.assert(
    fc.property(spanInZone, granularity, ({ zone, span }, granularity) => {
      fc.pre(granularity !== "quarter_hour" || span.end - span.start < 90 * 24 * HOUR);
      const edges = bucketEdges(span, zone, granularity);
      expect([edges[0], edges.at(-1)]).toEqual([span.start, span.end]);
      expect(lengths(edges, 1).every((length) => length > 0)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("a day's edge is local midnight, or a change of the clock that leaps over it", () => {
  fc.assert(
    fc.property(spanInZone, ({ zone, span }) => {
      for (const edge of bucketEdges(span, zone, "day")) {
        const local = Temporal.Instant.fromEpochMilliseconds(edge).toZonedDateTimeISO(zone);
        const before = local.subtract({ seconds: 1 });
        expect(Temporal.PlainDate.compare(before, local)).toBe(-1);
        const leaps = before.offsetNanoseconds < local.offsetNanoseconds;
        if (!leaps) expect(local.toPlainTime().toString()).toBe("00:00:00");
      }
    }),
    { numRuns: 300 },
  );
});

test("an hour's edge shows minute 0, and no other instant does", () => {
  fc.assert(
    fc.property(spanInZone, ({ zone, span }) => {
      const [first, ...edges] = bucketEdges(span, zone, "hour").slice(0, -1);
      const shows = (ms: number) => {
        const { minute, second } = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
        return minute === 0 && second === 0;
      };
      expect(edges.every(shows)).toBe(true);
      // Between two edges the clock shows minute 0 nowhere; checked on a day's worth.
      for (let ms = first! + 1_000; ms < Math.min(span.end, first! + 24 * HOUR); ms += 1_000 * 30) {
        if (shows(ms)) expect(edges).toContain(ms);
      }
    }),
    { numRuns: 30 },
  );
});
