import { DAY_MS } from "../rollups.ts";

/** Epoch milliseconds, [start, end). */
export interface Piece {
  readonly start: number;
  readonly end: number;
}

/** What of some buckets whole UTC days can answer, and what not. */
export interface RollupDays {
  /** Starts of UTC days, each within one bucket; epoch milliseconds. */
  readonly days: readonly number[];
  /** All the rest, each piece within one bucket. */
  readonly rest: readonly Piece[];
}

/**
 * Divides buckets into whole UTC days and the pieces around them; what came before `readyFrom` (a UTC midnight) is left
 * out.
 *
 * @param edges of the buckets, ascending, epoch milliseconds.
 */
export function daysWithin(edges: readonly number[], readyFrom: number): RollupDays {
  const days: number[] = [];
  const rest: Piece[] = [];
  for (const [index, edge] of edges.slice(0, -1).entries()) {
    const [start, end] = [Math.max(edge, readyFrom), edges[index + 1]!];
    if (start >= end) continue;
    const firstDay = Math.min(Math.ceil(start / DAY_MS) * DAY_MS, end);
    const lastEnd = Math.max(Math.floor(end / DAY_MS) * DAY_MS, firstDay);
    if (start < firstDay) rest.push({ start, end: firstDay });
    for (let day = firstDay; day < lastEnd; day += DAY_MS) days.push(day);
    if (lastEnd < end) rest.push({ start: lastEnd, end });
  }
  return { days, rest };
}
