const DAY_MS = 86_400_000;

/** Epoch milliseconds, [start, end). */
export interface Piece {
  readonly start: number;
  readonly end: number;
}

/** What of some buckets the aggregates of months can answer, and what not. */
export interface RollupMonths {
  /** Starts of UTC months that lie, but for their first and last day, in one bucket; epoch milliseconds. */
  readonly months: readonly number[];
  /** All the rest, each piece within one bucket. */
  readonly rest: readonly Piece[];
}

/**
 * Divides buckets into the insides of UTC months and the pieces around them; what came before `readyFrom` (a UTC
 * midnight) is left out.
 *
 * @param edges of the buckets, ascending, epoch milliseconds.
 */
export function monthsWithin(edges: readonly number[], readyFrom: number): RollupMonths {
  const months: number[] = [];
  const rest: Piece[] = [];
  for (const [index, edge] of edges.slice(0, -1).entries()) {
    const end = edges[index + 1]!;
    let start = Math.max(edge, readyFrom);
    for (let month = monthOf(start); month < end; month = after(month)) {
      const inside = { start: month + DAY_MS, end: after(month) - DAY_MS };
      if (inside.start < start || inside.end > end) continue;
      months.push(month);
      if (start < inside.start) rest.push({ start, end: inside.start });
      start = inside.end;
    }
    if (start < end) rest.push({ start, end });
  }
  return { months, rest };
}

/** The start of a time's UTC month. */
function monthOf(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

function after(month: number): number {
  const date = new Date(month);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}
