import type { Client } from "../../store/pool.ts";
import { sqlFile } from "../../store/sql-file.ts";
import { type Coverage, startOf, UNIT_MS, UNITS, type UnitName } from "../plan/cover.ts";
import { BESIDE_MS } from "../plan/fact-parts.ts";
import type { Question } from "../question/question.ts";

const COVERAGE = sqlFile("./coverage.sql", import.meta.url);

/** From so many runs of stale units on, units between them count as stale: each run is an arm of a statement. */
const MOST_RUNS = 16;

interface Row {
  readonly rollups_from: number | null;
  readonly quarter_hours: number[];
  readonly days: number[];
  readonly weeks: number[];
  readonly four_weeks: number[];
}

/** What the aggregates hold of the question's merchant around its spans, as of the transaction's snapshot. */
export async function readCoverage(client: Client, { merchant, spans }: Question): Promise<Coverage> {
  const start = Math.min(...spans.map((span) => span.start)) - BESIDE_MS;
  const end = Math.max(...spans.map((span) => span.end)) + BESIDE_MS;
  const { rows } = await client.query<Row>(COVERAGE, [
    merchant.merchantId,
    merchant.partitionId,
    new Date(startOf("four_weeks", start)),
    new Date(startOf("four_weeks", end) + UNIT_MS.four_weeks),
  ]);
  const { rollups_from, quarter_hours, days, weeks, four_weeks } = rows[0]!;
  const marked = { quarter_hour: quarter_hours, day: days, week: weeks, four_weeks };
  return { rollupsFrom: rollups_from ?? undefined, stale: upwards(marked) };
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
