import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY_MS } from "../rollups.ts";
import { type Coverage, cover, startOf, UNITS, WHOLE_DAYS } from "./cover.ts";

const HOUR = 3_600_000;
/** A Monday; 28 days are counted from 2000-01-03, and so a span of them begins here. */
const MONDAY = Date.UTC(2000, 0, 3) + 340 * 28 * DAY_MS;
const at = (days: number, hours = 0) => MONDAY + days * DAY_MS + hours * HOUR;

const nothingStale = { day: new Set<number>(), week: new Set<number>(), four_weeks: new Set<number>() };
const ready = (days: number): Coverage => ({ readyFrom: at(days), stale: nothingStale });
const told = (parts: ReturnType<typeof cover>) =>
  parts.map(({ source, sign, from, to }) => [source, sign, (from - MONDAY) / DAY_MS, (to - MONDAY) / DAY_MS]);

describe("cover", () => {
  test("without rollups, or before them, all is counted from the rows", () => {
    const rows = [["rows", 1, 1, 20]];
    expect(told(cover(at(1), at(20), { ...ready(0), readyFrom: undefined }, UNITS))).toEqual(rows);
    expect(told(cover(at(1), at(20), ready(20), UNITS))).toEqual(rows);
    expect(told(cover(at(1), at(20), ready(0), []))).toEqual(rows);
  });

  test("whole units are taken, longest first", () => {
    expect(told(cover(at(-1), at(37), ready(-100), UNITS))).toEqual([
      ["day", 1, -1, 0],
      ["four_weeks", 1, 0, 28],
      ["week", 1, 28, 35],
      ["day", 1, 35, 37],
    ]);
  });

  test("of a unit that is asked for but for a little, the little is taken away", () => {
    expect(told(cover(at(0, -2), at(27, 22), ready(-100), UNITS))).toEqual([
      ["rows", 1, -2 / 24, 0],
      ["four_weeks", 1, 0, 28],
      ["rows", -1, 27 + 22 / 24, 28],
    ]);
    expect(told(cover(at(0, 6), at(1), ready(-100), UNITS))).toEqual([
      ["day", 1, 0, 1],
      ["rows", -1, 0, 0.25],
    ]);
    expect(told(cover(at(0, 12), at(1), ready(-100), UNITS))).toEqual([["rows", 1, 0.5, 1]]);
  });

  test("stale units are counted from shorter ones, stale days from the rows", () => {
    const stale = { day: new Set([at(8)]), week: new Set([at(7)]), four_weeks: new Set([at(0)]) };
    expect(told(cover(at(0), at(14), { readyFrom: at(-100), stale }, UNITS))).toEqual([
      ["week", 1, 0, 7],
      ["day", 1, 7, 8],
      ["rows", 1, 8, 9],
      ["day", 1, 9, 14],
    ]);
  });

  test("of days for different keys none is cut", () => {
    const stale = { ...nothingStale, day: new Set([at(8)]) };
    expect(told(cover(at(0, 2), at(10, 23), { readyFrom: at(-100), stale }, WHOLE_DAYS))).toEqual([
      ["rows", 1, 2 / 24, 1],
      ["day", 1, 1, 8],
      ["rows", 1, 8, 9],
      ["day", 1, 9, 10],
      ["rows", 1, 10, 10 + 23 / 24],
    ]);
  });

  const hours = fc.integer({ min: -24 * 10, max: 24 * 100 });
  const days = fc.uniqueArray(fc.integer({ min: -40, max: 100 }), { maxLength: 12 });
  test("whatever is stale, every hour of the span is counted once, and no other; nothing stale is used", () => {
    fc.assert(
      fc.property(hours, hours, days, days, fc.integer({ min: -30, max: 60 }), (a, b, bad, weeks, from) => {
        const [start, end] = [MONDAY + Math.min(a, b) * HOUR, MONDAY + (Math.max(a, b) + 1) * HOUR];
        const [staleDays, staleWeeks] = [
          bad.map((day) => at(day)),
          weeks.map((day) => startOf(UNITS[1]!, at(day))),
        ];
        const stale = {
          day: new Set(staleDays),
          week: new Set([...staleDays, ...staleWeeks].map((time) => startOf(UNITS[1]!, time))),
          four_weeks: new Set([...staleDays, ...staleWeeks].map((time) => startOf(UNITS[0]!, time))),
        };
        const parts = cover(start, end, { readyFrom: at(from), stale }, UNITS);
        for (let time = at(-45); time < at(140); time += HOUR) {
          const counted = parts.filter((part) => part.from <= time && time < part.to);
          const times = counted.reduce((sum, { sign }) => sum + sign, 0);
          expect(times).toBe(time >= start && time < end ? 1 : 0);
        }
        for (const { source, from: first, to } of parts.filter((part) => part.source !== "rows")) {
          expect(first).toBeGreaterThanOrEqual(at(from));
          const unit = UNITS.find(({ name }) => name === source)!;
          for (let time = first; time < to; time += unit.ms) {
            expect(startOf(unit, time)).toBe(time);
            expect(stale[unit.name].has(time)).toBe(false);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
