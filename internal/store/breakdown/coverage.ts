import type { Client } from "../pool.ts";
import { DAY_MS } from "../rollups.ts";
import { sqlFile } from "../sql-file.ts";
import { type Coverage, startOf, UNITS } from "./cover.ts";
import type { BreakdownQuery } from "./query.ts";

const COVERAGE = sqlFile("./coverage.sql", import.meta.url);

/** From so many runs of stale days on, days between them count as stale: each run is an arm of a statement. */
const MOST_RUNS = 16;

interface Row {
  readonly ready_from: number | null;
  readonly days: number[];
  readonly weeks: number[];
  readonly four_weeks: number[];
}

/** What the aggregates hold of a merchant around a span, as of the transaction's snapshot. */
export async function readCoverage(
  client: Client,
  {
    merchantId,
    partitionId,
    start,
    end,
  }: Pick<BreakdownQuery, "merchantId" | "partitionId" | "start" | "end">,
): Promise<Coverage> {
  const longest = UNITS[0]!;
  const { rows } = await client.query<Row>(COVERAGE, [
    merchantId,
    partitionId,
    new Date(startOf(longest, start)),
    new Date(startOf(longest, end) + longest.ms),
  ]);
  const { ready_from, days, weeks, four_weeks } = rows[0]!;
  const stale = withShortGapsFilled(days);
  return {
    readyFrom: ready_from ?? undefined,
    stale: {
      day: new Set(stale),
      week: new Set([...weeks, ...stale.map((day) => startOf({ ms: 7 * DAY_MS }, day))]),
      four_weeks: new Set([...four_weeks, ...[...weeks, ...stale].map((time) => startOf(longest, time))]),
    },
  };
}

/** Days, and those between runs of them while there are too many runs: the shortest gaps first. */
function withShortGapsFilled(given: readonly number[]): number[] {
  const days = [...new Set(given)].sort((a, b) => a - b);
  const gaps = days
    .slice(1)
    .map((to, index) => ({ from: days[index]! + DAY_MS, to }))
    .filter(({ from, to }) => to > from)
    .sort((a, b) => a.to - a.from - (b.to - b.from));
  for (const { from, to } of gaps.slice(0, Math.max(0, gaps.length + 1 - MOST_RUNS))) {
    for (let day = from; day < to; day += DAY_MS) days.push(day);
  }
  return days;
}
