import { type Calendar, DAY_MS, HOUR_MS, MINUTE_MS, type Span } from "./calendar.ts";
import { type OffsetSpan, offsetsWithin } from "./offsets.ts";

/** How long a bucket is. Minutes to hours follow the minute hand of the local clock, the others the local calendar. */
export const GRANULARITIES = [
  "minute",
  "quarter_hour",
  "hour",
  "day",
  "week",
  "month",
  "quarter",
  "year",
] as const;

export type Granularity = (typeof GRANULARITIES)[number];

/** Granularities that follow the minute hand, and their steps on the clock's face, ms. */
const CLOCK_STEP_MS: Partial<Record<Granularity, number>> = {
  minute: MINUTE_MS,
  quarter_hour: 15 * MINUTE_MS,
  hour: HOUR_MS,
};

/** The step on the clock's face, ms; undefined for a granularity of the calendar. */
export function clockStepOf(granularity: Granularity): number | undefined {
  return CLOCK_STEP_MS[granularity];
}

/** More than any change of a clock: who crosses the date line skips or repeats a day. */
const MARGIN_MS = 2 * DAY_MS;

/**
 * The instants of a span at which a minute, an hour, a day ... begins, ascending. An hour begins whenever the local
 * clock shows minute 0 (so where a clock changes by half an hour, one has 90 minutes); a day with its first instant,
 * also where the clock then goes back behind midnight. A day that the zone skipped does not begin.
 *
 * Works on offsets and plain arithmetic: Temporal would take 5 µs for each.
 */
export function* beginningsIn(
  span: Span,
  granularity: Granularity,
  { timeZone, firstDayOfWeek }: Calendar,
): Generator<number> {
  const step = clockStepOf(granularity);
  if (step !== undefined) {
    yield* clockBeginnings(offsetsWithin(span, timeZone), step);
    return;
  }
  const offsets = offsetsWithin({ start: span.start - MARGIN_MS, end: span.end }, timeZone);
  let last = Number.NEGATIVE_INFINITY;
  for (const instant of firstInstants(
    localDays(span.start + offsets[0]!.offsetMs, granularity, firstDayOfWeek),
    offsets,
  )) {
    if (instant >= span.start && instant > last) yield instant;
    last = instant;
  }
}

/** Every instant at which the local clock shows a multiple of the step. */
function* clockBeginnings(offsets: readonly OffsetSpan[], step: number): Generator<number> {
  for (const { start, end, offsetMs } of offsets) {
    const sinceStep = (((start + offsetMs) % step) + step) % step;
    for (let at = sinceStep === 0 ? start : start + step - sinceStep; at < end; at += step) yield at;
  }
}

/** When a local clock first shows each of some ascending local times, or has leapt over it; as long as offsets are known. */
function* firstInstants(locals: Iterable<number>, offsets: readonly OffsetSpan[]): Generator<number> {
  let at = 0;
  for (const local of locals) {
    while (at < offsets.length && local - offsets[at]!.offsetMs >= offsets[at]!.end) at++;
    if (at === offsets.length) return;
    yield Math.max(offsets[at]!.start, local - offsets[at]!.offsetMs);
  }
}

/**
 * The midnights with which local days, weeks, months ... begin, as ms of a clock that shows UTC; from one that is more
 * than a change of the clock before `local` on, without end.
 */
function* localDays(local: number, granularity: Granularity, firstDayOfWeek: number): Generator<number> {
  const date = new Date(local - MARGIN_MS);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (granularity) {
    case "week": {
      const sinceFirst = (date.getUTCDay() - firstDayOfWeek + 7) % 7;
      for (let at = Date.UTC(year, month, day - sinceFirst); ; at += 7 * DAY_MS) yield at;
    }
    case "month":
      for (let at = month; ; at++) yield Date.UTC(year, at);
    case "quarter":
      for (let at = month - (month % 3); ; at += 3) yield Date.UTC(year, at);
    case "year":
      for (let at = year; ; at++) yield Date.UTC(at, 0);
    default:
      for (let at = Date.UTC(year, month, day); ; at += DAY_MS) yield at;
  }
}
