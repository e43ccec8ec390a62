import fc from "fast-check";
import { expect, test } from "vitest";
import { monthsWithin } from "./rollup-months.ts";

const at = (iso: string) => Date.parse(`${iso}Z`);
const DAY = 86_400_000;

test("local months hold the insides of UTC months, whatever their zone", () => {
  const edges = [at("2025-01-31T23:00"), at("2025-02-28T23:00"), at("2025-03-31T22:00")];
  expect(monthsWithin(edges, 0)).toEqual({
    months: [at("2025-02-01T00:00"), at("2025-03-01T00:00")],
    rest: [
      { start: edges[0], end: at("2025-02-02T00:00") },
      { start: at("2025-02-28T00:00"), end: edges[1] },
      { start: edges[1], end: at("2025-03-02T00:00") },
      { start: at("2025-03-31T00:00"), end: edges[2] },
    ],
  });
});

test("what came before the rollups is left out, and with it the month that they begin in", () => {
  const edges = [at("2025-01-01T00:00"), at("2025-04-01T00:00")];
  expect(monthsWithin(edges, at("2025-02-03T00:00"))).toEqual({
    months: [at("2025-03-01T00:00")],
    rest: [
      { start: at("2025-02-03T00:00"), end: at("2025-03-02T00:00") },
      { start: at("2025-03-31T00:00"), end: at("2025-04-01T00:00") },
    ],
  });
  expect(monthsWithin(edges, at("2025-04-01T00:00"))).toEqual({ months: [], rest: [] });
});

test("months and pieces cover every bucket once, and no piece crosses an edge", () => {
  const edges = fc
    .uniqueArray(fc.integer({ min: 0, max: 800 * 96 }), { minLength: 2, maxLength: 8 })
    .map((quarters) => quarters.sort((a, b) => a - b).map((quarter) => quarter * 900_000));
  fc.assert(
    fc.property(edges, fc.nat(800), (list, readyDay) => {
      const { months, rest } = monthsWithin(list, readyDay * DAY);
      const insides = months.map((start) => {
        const date = new Date(start);
        const after = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
        return { start: start + DAY, end: after - DAY };
      });
      const all = [...insides, ...rest].sort((a, b) => a.start - b.start);
      let reached = Math.max(list[0]!, readyDay * DAY);
      for (const { start, end } of all) {
        expect(start).toBe(reached);
        expect(list.some((edge) => edge > start && edge < end)).toBe(false);
        reached = end;
      }
      expect(reached).toBe(Math.max(list.at(-1)!, list[0]!, readyDay * DAY));
    }),
  );
});
