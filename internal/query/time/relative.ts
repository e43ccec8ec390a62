import { beginningsIn, type Granularity } from "./beginnings.ts";
import { type Calendar, DAY_MS, HOUR_MS, MINUTE_MS, type Span } from "./calendar.ts";
import type { RelativePeriod } from "./period.ts";

/** No shorter than a unit can be, but for what a change of the clock adds, ms. */
const LONGEST_MS: Record<Granularity, number> = {
  minute: MINUTE_MS,
  quarter_hour: 15 * MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 31 * DAY_MS,
  quarter: 92 * DAY_MS,
  year: 366 * DAY_MS,
};

/** More than all changes of a clock, and days that were skipped, add to a relative period. */
const MARGIN_MS = 3 * DAY_MS;

/** Earlier than any period may begin: further back no calendar is looked at. 1890-01-01. */
const EARLIEST = Date.UTC(1890, 0);

/**
 * The span of the last units before now, epoch ms. One that would begin before 1890 begins there.
 * @param period its count is checked.
 */
export function spanOfRelative(
  { unit, count, includeCurrent }: RelativePeriod,
  calendar: Calendar,
  now: number,
): Span {
  const current = unitAround(now, unit, calendar);
  if (includeCurrent) {
    const minute = now - (((now % MINUTE_MS) + MINUTE_MS) % MINUTE_MS) + MINUTE_MS;
    return {
      start: unitsBefore(current.start, unit, count - 1, calendar),
      end: Math.min(minute, current.end),
    };
  }
  return { start: unitsBefore(current.start, unit, count, calendar), end: current.start };
}

/** The unit that an instant lies in. */
export function unitAround(time: number, unit: Granularity, calendar: Calendar): Span {
  const reach = LONGEST_MS[unit] + MARGIN_MS;
  const before = beginningsIn({ start: time - reach, end: time + 1 }, unit, calendar);
  const after = beginningsIn({ start: time + 1, end: time + reach }, unit, calendar);
  return { start: [...before].at(-1)!, end: after.next().value! };
}

/** The instant so many units before one that begins a unit. */
function unitsBefore(start: number, unit: Granularity, count: number, calendar: Calendar): number {
  if (count === 0) return start;
  const earliest = Math.max(EARLIEST, start - count * LONGEST_MS[unit] - MARGIN_MS);
  const beginnings = [...beginningsIn({ start: earliest, end: start }, unit, calendar)];
  return beginnings.at(-count) ?? EARLIEST;
}
