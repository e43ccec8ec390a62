import { type Coverage, startOf, UNIT_MS, UNITS, type UnitName } from "../plan/cover.ts";
import { BESIDE_MS } from "../plan/fact-parts.ts";
import type { Scoped } from "../question/question.ts";

/** From so many runs of stale units on, units between them count as stale: each run is an arm of a statement. */
const MOST_RUNS = 16;

/** From when on rollups hold a merchant, ms since 1970-01-01 UTC, and the starts of units that are marked invalid. */
export type CoverageRow = [
  rollupsFrom: number | null,
  quarterHours: number[],
  days: number[],
  weeks: number[],
  fourWeeks: number[],
];

/** The time in which it matters to some questions what aggregates hold, [first, last). */
export function timeAround(questions: readonly Scoped[]): [first: Date, last: Date] {
  const spans = questions.flatMap((question): readonly { start: number; end: number }[] => question.spans);
  const start = Math.min(...spans.map((span) => span.start)) - BESIDE_MS;
  const end = Math.max(...spans.map((span) => span.end)) + BESIDE_MS;
  return [new Date(startOf("four_weeks", start)), new Date(startOf("four_weeks", end) + UNIT_MS.four_weeks)];
}

/** What the aggregates hold of a merchant. */
export function coverageOf([rollupsFrom, quarter_hour, day, week, four_weeks]: CoverageRow): Coverage {
  return { rollupsFrom: rollupsFrom ?? undefined, stale: upwards({ quarter_hour, day, week, four_weeks }) };
}

/** What is stale makes the longer units stale that it lies in. */
function upwards(marked: Readonly<Record<UnitName, readonly number[]>>): Coverage["stale"] {
  const stale = { ...marked };
  for (const [index, unit] of [...UNITS.entries()].reverse()) {
    const finer = UNITS[index + 1];
    const within = finer === undefined ? [] : stale[finer].map((at) => startOf(unit, at));
    stale[unit] = withShortGapsFilled(unit, [...marked[unit], ...within]);
  }
  return stale;
}

/** Units, and those between runs of them while there are too many runs: the shortest gaps first. */
function withShortGapsFilled(unit: UnitName, given: readonly number[]): number[] {
  const ms = UNIT_MS[unit];
  const starts = [...new Set(given)].sort((a, b) => a - b);
  const gaps = starts
    .slice(1)
    .map((to, index) => ({ from: starts[index]! + ms, to }))
    .filter(({ from, to }) => to > from)
    .sort((a, b) => a.to - a.from - (b.to - b.from));
  for (const { from, to } of gaps.slice(0, Math.max(0, gaps.length + 1 - MOST_RUNS))) {
    for (let at = from; at < to; at += ms) starts.push(at);
  }
  return starts;
}
