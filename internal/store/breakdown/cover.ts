import { DAY_MS } from "../rollups.ts";

/** A span of event time, [from, to), ms since 1970-01-01 UTC, and where it is counted. */
export interface Part {
  readonly source: "events" | "day";
  readonly from: number;
  readonly to: number;
  /** -1: its counts are taken away, where a whole day is less work than most of it. */
  readonly sign: 1 | -1;
}

/** What the daily aggregates hold of a merchant. */
export interface Coverage {
  /** Its first UTC day that they hold; undefined: none. */
  readonly readyFrom: number | undefined;
  /** UTC days (their starts) that they lack, or hold something else of than the rows are. */
  readonly staleDays: ReadonlySet<number>;
}

/** From so many parts on, days between them are counted from the rows too: a statement has an arm for each part. */
const MOST_STALE_RUNS = 16;

/**
 * The parts that add up to [start, end): whole days from the aggregates where they hold them, all else from the rows.
 * Of a day that the span holds more than half of, the rest is taken away from the whole.
 */
export function cover(start: number, end: number, coverage: Coverage): Part[] {
  const { readyFrom } = coverage;
  if (readyFrom === undefined || readyFrom >= end)
    return [{ source: "events", from: start, to: end, sign: 1 }];
  const stale = withShortGapsFilled(coverage.staleDays);
  const parts: Part[] = [];
  if (start < readyFrom) parts.push({ source: "events", from: start, to: readyFrom, sign: 1 });
  const first = Math.max(start, readyFrom);
  for (let day = Math.floor(first / DAY_MS) * DAY_MS; day < end; day += DAY_MS) {
    const inside = { from: Math.max(day, first), to: Math.min(day + DAY_MS, end) };
    parts.push(...partsOfDay(day, inside, !stale.has(day) && day >= readyFrom));
  }
  return joined(parts);
}

function partsOfDay(day: number, { from, to }: { from: number; to: number }, isReady: boolean): Part[] {
  const next = day + DAY_MS;
  if (!isReady || to - from <= DAY_MS / 2) return [{ source: "events", from, to, sign: 1 }];
  const parts: Part[] = [{ source: "day", from: day, to: next, sign: 1 }];
  if (from > day) parts.push({ source: "events", from: day, to: from, sign: -1 });
  if (to < next) parts.push({ source: "events", from: to, to: next, sign: -1 });
  return parts;
}

/** Neighbours of one source and sign as one part. */
function joined(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const at = result.findIndex(
      (p) => p.to === part.from && p.source === part.source && p.sign === part.sign,
    );
    if (at === -1) result.push(part);
    else result[at] = { ...result[at]!, to: part.to };
  }
  return result;
}

/** The stale days, and those between runs of them while there are too many runs: the shortest gaps first. */
function withShortGapsFilled(stale: ReadonlySet<number>): ReadonlySet<number> {
  const days = [...stale].sort((a, b) => a - b);
  const gaps = days.slice(1).map((day, index) => ({ from: days[index]! + DAY_MS, to: day }));
  const open = gaps.filter(({ from, to }) => to > from).sort((a, b) => a.to - a.from - (b.to - b.from));
  const filled = new Set(stale);
  for (const { from, to } of open.slice(0, Math.max(0, open.length + 1 - MOST_STALE_RUNS))) {
    for (let day = from; day < to; day += DAY_MS) filled.add(day);
  }
  return filled;
}
