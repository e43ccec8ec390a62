import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cover, cover, startOf, UNIT_MS, UNITS } from "./cover.ts";

const DAY_MS = 86_400_000;
const ORIGIN = Date.UTC(2026, 0, 1);
const QUARTER_HOUR_MS = 900_000;

const quarterHour = fc.integer({ min: 0, max: 96 * 120 }).map((n) => ORIGIN + n * QUARTER_HOUR_MS);
const minute = fc.integer({ min: 0, max: 24 * 60 * 120 }).map((n) => ORIGIN + n * 60_000);
const edges = fc
  .uniqueArray(fc.oneof(quarterHour, minute), { minLength: 2, maxLength: 6 })
  .map((times) => times.sort((a, b) => a - b));
const by: fc.Arbitrary<Cover> = fc.record({
  units: fc.subarray([...UNITS]),
  usableFrom: fc.oneof(
    fc.constant(Number.NEGATIVE_INFINITY),
    fc.integer({ min: 0, max: 130 }).map((days) => ORIGIN + days * DAY_MS),
  ),
  stale: fc.record({
    four_weeks: fc.array(
      quarterHour.map((at) => startOf("four_weeks", at)),
      { maxLength: 2 },
    ),
    week: fc.array(
      quarterHour.map((at) => startOf("week", at)),
      { maxLength: 4 },
    ),
    day: fc.array(
      quarterHour.map((at) => startOf("day", at)),
      { maxLength: 6 },
    ),
    quarter_hour: fc.array(quarterHour, { maxLength: 8 }),
  }),
  canSubtract: fc.boolean(),
});

test("each moment of the buckets counts once, and none outside of them", () => {
  fc.assert(
    fc.property(edges, by, (edges, by) => {
      const parts = cover(edges, by);
      const times = parts.flatMap(({ from, to }) => [from, to]).concat(edges);
      const marks = [...new Set(times)].sort((a, b) => a - b);
      for (const at of marks) {
        const count = parts
          .filter(({ from, to }) => from <= at && at < to)
          .reduce((sum, { sign }) => sum + sign, 0);
        expect(count).toBe(at >= edges[0]! && at < edges.at(-1)! ? 1 : 0);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("only whole units are read that hold the rows, and nothing is taken away where that is not allowed", () => {
  fc.assert(
    fc.property(edges, by, (edges, by) => {
      for (const { unit, from, to, sign } of cover(edges, by)) {
        if (!by.canSubtract || edges.length > 2) expect(sign).toBe(1);
        if (unit === "rows") continue;
        expect(by.units).toContain(unit);
        expect([startOf(unit, from), startOf(unit, to)]).toEqual([from, to]);
        expect(from).toBeGreaterThanOrEqual(by.usableFrom);
        expect(by.stale[unit].filter((at) => at >= from && at < to)).toEqual([]);
        // Of several buckets each has its own parts, or whole units of neighbours that end where the buckets do.
        for (const edge of edges.slice(1, -1)) {
          if (from < edge && edge < to) expect(startOf(unit, edge)).toBe(edge);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

test("what could be a unit is no rows", () => {
  const by: Cover = {
    units: UNITS,
    usableFrom: Number.NEGATIVE_INFINITY,
    stale: { four_weeks: [], week: [], day: [], quarter_hour: [] },
    canSubtract: false,
  };
  fc.assert(
    fc.property(quarterHour, quarterHour, (a, b) => {
      if (a === b) return;
      const parts = cover([Math.min(a, b), Math.max(a, b)], by);
      expect(parts.some(({ unit }) => unit === "rows")).toBe(false);
      for (const { unit, from, to } of parts) {
        const longer = UNITS[UNITS.indexOf(unit as "day") - 1];
        if (longer !== undefined) expect(to - from).toBeLessThan(2 * UNIT_MS[longer]);
      }
    }),
  );
});

test("a hundred years take no time", () => {
  const by: Cover = {
    units: UNITS,
    usableFrom: Number.NEGATIVE_INFINITY,
    stale: { four_weeks: [], week: [], day: [], quarter_hour: [] },
    canSubtract: false,
  };
  const parts = cover([Date.UTC(1926, 0, 1, 0, 7), Date.UTC(2026, 0, 1, 13, 22)], by);
  expect(parts.length).toBeLessThan(20);
});
