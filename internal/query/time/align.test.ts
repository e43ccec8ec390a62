import fc from "fast-check";
import { expect, test } from "vitest";
import { alignBuckets } from "./align.ts";
import type { Granularity } from "./beginnings.ts";
import { bucketEdges } from "./buckets.ts";
import { resolvePeriod } from "./period.ts";
import { HOUR, localOf, ZONES } from "./testing/naive.ts";

const calendarOf = (timeZone: string) => ({ timeZone, firstDayOfWeek: 1 });

function edgesOf(startDate: string, endDate: string, timeZone: string, granularity: Granularity): number[] {
  const calendar = calendarOf(timeZone);
  return bucketEdges(
    resolvePeriod({ kind: "dates", startDate, endDate }, calendar, 0),
    granularity,
    calendar,
  );
}

/** For each bucket of the first period the other's in the same position; checks that positions are told in the order of time. */
function pairsOf(...given: Parameters<typeof alignBuckets>): (number | undefined)[] {
  const [positions, others] = alignBuckets(...given);
  for (const ascending of [positions, others])
    expect(ascending).toEqual([...ascending].sort((a, b) => a - b));
  const all = new Set([...positions, ...others]);
  expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: all.size }, (_, position) => position));
  expect([new Set(positions).size, new Set(others).size]).toEqual([given[0].length - 1, given[1].length - 1]);
  const places = new Map(others.map((position, bucket) => [position, bucket]));
  return positions.map((position) => places.get(position));
}

const berlin = (day: string) => edgesOf(day, day, "Europe/Berlin", "hour");
const alignedHours = (one: string, other: string) =>
  pairsOf(berlin(one), berlin(other), "hour", calendarOf("Europe/Berlin"));

test("a day of 23 hours: its hours pair by the clock, and 2 o'clock of the other stays alone", () => {
  const hours = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);
  expect(alignedHours("2024-03-31", "2024-03-30")).toEqual([...hours(0, 2), ...hours(3, 24)]);
  expect(alignedHours("2024-03-30", "2024-03-31")).toEqual([0, 1, undefined, ...hours(2, 23)]);
});

test("a day of 25 hours: the second 2 o'clock has no partner but another second one", () => {
  const pairs = alignedHours("2024-10-27", "2024-10-26");
  expect(pairs.slice(1, 5)).toEqual([1, 2, undefined, 3]);
  expect(pairs.at(-1)).toBe(23);
  expect(alignedHours("2024-10-26", "2024-10-27").slice(1, 5)).toEqual([1, 2, 4, 5]);
  expect(alignedHours("2024-10-27", "2023-10-29")).toEqual(Array.from({ length: 25 }, (_, at) => at));
});

test("a day that begins at 1 o'clock pairs with one that begins at midnight", () => {
  const saoPaulo = (day: string) => edgesOf(day, day, "America/Sao_Paulo", "hour");
  const pairs = pairsOf(
    saoPaulo("2018-11-04"),
    saoPaulo("2018-11-03"),
    "hour",
    calendarOf("America/Sao_Paulo"),
  );
  expect(pairs).toEqual(Array.from({ length: 23 }, (_, at) => at + 1));
});

test("days pair by the n-th date, also after one that was skipped; months one by one", () => {
  const apia = (from: string, to: string) => edgesOf(from, to, "Pacific/Apia", "day");
  const calendar = calendarOf("Pacific/Apia");
  expect(
    pairsOf(apia("2011-12-29", "2011-12-31"), apia("2011-12-20", "2011-12-22"), "day", calendar),
  ).toEqual([0, 2]);
  const months = (from: string, to: string) => edgesOf(from, to, "Europe/Berlin", "month");
  const pairs = pairsOf(
    months("2024-01-15", "2024-04-10"),
    months("2023-01-01", "2023-03-31"),
    "month",
    calendar,
  );
  expect(pairs).toEqual([0, 1, 2, undefined]);
});

test("an hour that one day lacks has a position where it would be", () => {
  const calendar = calendarOf("Europe/Berlin");
  const [positions, others] = alignBuckets(berlin("2024-03-31"), berlin("2024-03-30"), "hour", calendar);
  expect(positions.slice(0, 4)).toEqual([0, 1, 3, 4]);
  expect(others).toEqual(Array.from({ length: 24 }, (_, hour) => hour));
});

test("pairs do not cross where a clock was set back by three hours at different times of the day", () => {
  const casey = (day: string) => edgesOf(day, day, "Antarctica/Casey", "hour");
  const pairs = pairsOf(casey("2018-03-11"), casey("2020-03-08"), "hour", calendarOf("Antarctica/Casey"));
  const paired = pairs.filter((pair) => pair !== undefined);
  expect(paired).toEqual([...paired].sort((a, b) => a - b));
  expect(paired.length).toBeGreaterThan(20);
});

test("whatever zone and days: partners show the same time of day on the same day of their periods", () => {
  const question = fc.record({
    timeZone: fc.constantFrom(...ZONES.filter((zone) => zone !== "Pacific/Apia")),
    first: fc.date({ min: new Date("1980-01-01"), max: new Date("2030-01-01"), noInvalidDate: true }),
    count: fc.integer({ min: 1, max: 6 }),
    granularity: fc.constantFrom<Granularity>("quarter_hour", "hour", "day"),
    back: fc.integer({ min: 1, max: 400 }),
  });
  fc.assert(
    fc.property(question, ({ timeZone, first, count, granularity, back }) => {
      const calendar = calendarOf(timeZone);
      const day = (after: number) => new Date(Number(first) + after * 24 * HOUR).toISOString().slice(0, 10);
      const edges = edgesOf(day(0), day(count - 1), timeZone, granularity);
      const others = edgesOf(day(-back), day(count - 1 - back), timeZone, granularity);
      const label = (time: number, from: string) => {
        const { dayNumber, hour, minute } = localOf(time, timeZone);
        const clock = granularity === "day" ? "" : ` ${hour}:${minute}`;
        return `${dayNumber - Date.parse(from) / (24 * HOUR)}${clock}`;
      };
      const labels = edges.slice(0, -1).map((time) => label(time, day(0)));
      const otherLabels = others.slice(0, -1).map((time) => label(time, day(-back)));
      const pairs = pairsOf(edges, others, granularity, calendar);
      const paired = pairs.filter((pair) => pair !== undefined);
      expect(new Set(paired).size).toBe(paired.length);
      for (const [bucket, pair] of pairs.entries()) {
        if (pair !== undefined) expect(otherLabels[pair]).toBe(labels[bucket]);
      }
      const times = (list: string[], text: string) => list.filter((other) => other === text).length;
      const pairable = [...new Set(labels)].reduce(
        (sum, text) => sum + Math.min(times(labels, text), times(otherLabels, text)),
        0,
      );
      expect(paired).toHaveLength(pairable);
    }),
    { numRuns: 150 },
  );
});
