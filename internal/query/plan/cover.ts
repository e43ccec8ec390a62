const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Spans of time that aggregates have rows for. */
export type UnitName = "four_weeks" | "week" | "day" | "quarter_hour";

/** ms; each is made of whole ones of the next. */
export const UNIT_MS: Readonly<Record<UnitName, number>> = {
  four_weeks: 28 * DAY_MS,
  week: 7 * DAY_MS,
  day: DAY_MS,
  quarter_hour: 15 * MINUTE_MS,
};

/** Longest first. */
export const UNITS: readonly UnitName[] = ["four_weeks", "week", "day", "quarter_hour"];

/** TimescaleDB counts spans from here: Monday, 2000-01-03. */
const ORIGIN_MS = Date.UTC(2000, 0, 3);

/** From this part of a unit on the whole is taken, and what is too much is taken away: that is less to read. */
const MOST_TAKEN = 0.7;

/** A span of event time, [from, to), ms since 1970-01-01 UTC, and what it is counted from. */
export interface Part {
  readonly unit: "rows" | UnitName;
  readonly from: number;
  readonly to: number;
  /** -1: its sums are taken away. */
  readonly sign: 1 | -1;
}

/** What the aggregates hold of a merchant. */
export interface Coverage {
  /** A UTC midnight, from when on those of large merchants hold its rows; undefined: never. */
  readonly rollupsFrom: number | undefined;
  /** Starts of the units of which aggregates hold less, or something else, than the rows are. */
  readonly stale: Readonly<Record<UnitName, readonly number[]>>;
}

/** Which units may be used, from when on, and whether sums of parts may be taken away. */
export interface Cover {
  readonly units: readonly UnitName[];
  /** ms since 1970-01-01 UTC, a UTC midnight or -Infinity. */
  readonly usableFrom: number;
  readonly stale: Coverage["stale"];
  /** Counts of different ids cannot be taken away. */
  readonly canSubtract: boolean;
}

/** Where the unit begins that a time is in, ms since 1970-01-01 UTC. */
export function startOf(unit: UnitName, time: number): number {
  const ms = UNIT_MS[unit];
  return ORIGIN_MS + Math.floor((time - ORIGIN_MS) / ms) * ms;
}

/**
 * The parts that add up to the buckets between edges: whole units from the aggregates that hold them, all else from the
 * rows. No part reaches over an edge, but for what is taken and taken away again where there is one bucket alone.
 * @param edges ascending, two or more.
 */
export function cover(edges: readonly number[], by: Cover): Part[] {
  const [start, end] = [edges[0]!, edges.at(-1)!];
  if (edges.length === 2) return joined(span(start, end, by.units, by));
  const stale = { ...by.stale };
  for (const unit of by.units) stale[unit] = [...by.stale[unit], ...cutUnits(unit, edges)];
  return joined(span(start, end, by.units, { ...by, stale, canSubtract: false }));
}

/** Starts of the units that an edge lies within: they are of several buckets. */
function cutUnits(unit: UnitName, edges: readonly number[]): number[] {
  const starts: number[] = [];
  for (const edge of edges) {
    const start = startOf(unit, edge);
    if (start !== edge && start !== starts.at(-1)) starts.push(start);
  }
  return starts;
}

function span(start: number, end: number, [unit, ...finer]: readonly UnitName[], by: Cover): Part[] {
  if (start >= end) return [];
  if (unit === undefined) return [{ unit: "rows", from: start, to: end, sign: 1 }];
  const ms = UNIT_MS[unit];
  const [first, last] = [startOf(unit, start), startOf(unit, end - 1) + ms];
  const stale = new Set(by.stale[unit].filter((at) => at >= first && at < last));
  const usableFrom = Number.isFinite(by.usableFrom) ? startOf(unit, by.usableFrom + ms - 1) : by.usableFrom;
  const isUsable = (at: number) => at >= by.usableFrom && !stale.has(at);
  /** The part of one unit that lies in the span. */
  const cut = (at: number): Part[] => {
    const [from, to] = [Math.max(at, start), Math.min(at + ms, end)];
    if (!isUsable(at) || !by.canSubtract || to - from < ms * MOST_TAKEN) return span(from, to, finer, by);
    const around = [...span(at, from, finer, by), ...span(to, at + ms, finer, by)];
    return [{ unit, from: at, to: at + ms, sign: 1 }, ...around.map(negated)];
  };
  const head = first < start ? cut(first) : [];
  const tail = last > end && (last - ms > first || first >= start) ? cut(last - ms) : [];
  const [from, to] = [first < start ? first + ms : first, last > end ? last - ms : last];
  return [...head, ...whole(from, to), ...tail];

  /** Units that lie wholly in the span. */
  function whole(from: number, to: number): Part[] {
    if (from >= to) return [];
    const usable = Math.min(to, Math.max(from, usableFrom));
    const parts = span(from, usable, finer, by);
    let at = usable;
    for (const hole of [...stale].filter((each) => each >= usable && each < to).sort((a, b) => a - b)) {
      if (at < hole) parts.push({ unit: unit!, from: at, to: hole, sign: 1 });
      parts.push(...span(hole, hole + ms, finer, by));
      at = hole + ms;
    }
    if (at < to) parts.push({ unit: unit!, from: at, to, sign: 1 });
    return parts;
  }
}

function negated(part: Part): Part {
  return { ...part, sign: part.sign === 1 ? -1 : 1 };
}

/** Neighbours of one unit and sign as one part. */
function joined(parts: readonly Part[]): Part[] {
  const last = new Map<string, Part>();
  const result: Part[] = [];
  for (const part of [...parts].sort((a, b) => a.from - b.from)) {
    const key = `${part.unit} ${part.sign}`;
    const before = last.get(key);
    const next = before?.to === part.from ? { ...before, to: part.to } : part;
    if (before !== undefined && next !== part) result[result.indexOf(before)] = next;
    else result.push(next);
    last.set(key, next);
  }
  return result;
}
