import { DAY_MS } from "../rollups.ts";

/** A span of time that an aggregate has a row for, by its name; [start, end) in UTC. */
export interface Unit {
  readonly name: UnitName;
  readonly ms: number;
  /** From this part of it on the whole is taken, and what is too much is taken away: that is less to read. */
  readonly most: number;
}

export type UnitName = "four_weeks" | "week" | "day";

/** Longest first; each is made of whole ones of the next. */
export const UNITS: readonly Unit[] = [
  { name: "four_weeks", ms: 28 * DAY_MS, most: 0.7 },
  { name: "week", ms: 7 * DAY_MS, most: 0.7 },
  { name: "day", ms: DAY_MS, most: 0.5 },
];

/** Whole days and nothing taken away: all that there is for counts of different keys. */
export const WHOLE_DAYS: readonly Unit[] = [{ name: "day", ms: DAY_MS, most: 1 }];

/** TimescaleDB counts spans of days from here: Monday, 2000-01-03. */
const ORIGIN_MS = Date.UTC(2000, 0, 3);

/** Where the unit begins that a time is in, ms since 1970-01-01 UTC. */
export function startOf(unit: Pick<Unit, "ms">, time: number): number {
  return ORIGIN_MS + Math.floor((time - ORIGIN_MS) / unit.ms) * unit.ms;
}

/** A span of event time, [from, to), ms since 1970-01-01 UTC, and what it is counted from. */
export interface Part {
  readonly source: "rows" | UnitName;
  readonly from: number;
  readonly to: number;
  /** -1: its counts are taken away. */
  readonly sign: 1 | -1;
}

/** What the aggregates hold of a merchant. */
export interface Coverage {
  /** A UTC midnight, from when on they hold its rows; undefined: never. */
  readonly readyFrom: number | undefined;
  /** Starts of the units of which the aggregates hold less, or something else, than the rows are. */
  readonly stale: Readonly<Record<UnitName, ReadonlySet<number>>>;
}

/**
 * The parts that add up to [start, end): whole units from the aggregates that hold them, all else from the rows.
 * @param units those that there are aggregates of, longest first; none: all from the rows.
 */
export function cover(start: number, end: number, coverage: Coverage, units: readonly Unit[]): Part[] {
  const readyFrom = Math.min(end, Math.max(start, coverage.readyFrom ?? Number.POSITIVE_INFINITY));
  const whole = { ...coverage, readyFrom: coverage.readyFrom ?? Number.POSITIVE_INFINITY };
  return joined([...rows(start, readyFrom), ...coverBy(units, readyFrom, end, whole)]);
}

type Known = Coverage & { readonly readyFrom: number };

function coverBy([unit, ...finer]: readonly Unit[], start: number, end: number, known: Known): Part[] {
  if (unit === undefined || start >= end) return rows(start, end);
  const parts: Part[] = [];
  for (let at = startOf(unit, start); at < end; at += unit.ms) {
    const [from, to, next] = [Math.max(at, start), Math.min(at + unit.ms, end), at + unit.ms];
    const isWhole = to - from === unit.ms;
    const isUsable = at >= known.readyFrom && !known.stale[unit.name].has(at);
    if (!isUsable || (!isWhole && to - from <= unit.ms * unit.most)) {
      parts.push(...coverBy(finer, from, to, known));
      continue;
    }
    parts.push({ source: unit.name, from: at, to: next, sign: 1 });
    parts.push(...takenAway(coverBy(finer, at, from, known)), ...takenAway(coverBy(finer, to, next, known)));
  }
  return parts;
}

function rows(from: number, to: number): Part[] {
  return from < to ? [{ source: "rows", from, to, sign: 1 }] : [];
}

function takenAway(parts: readonly Part[]): Part[] {
  return parts.map((part) => ({ ...part, sign: part.sign === 1 ? -1 : 1 }));
}

/** Neighbours of one source and sign as one part. */
function joined(parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  for (const part of [...parts].sort((a, b) => a.from - b.from)) {
    const at = result.findLastIndex(
      ({ source, sign, to }) => source === part.source && sign === part.sign && to === part.from,
    );
    if (at === -1) result.push(part);
    else result[at] = { ...result[at]!, to: part.to };
  }
  return result;
}
