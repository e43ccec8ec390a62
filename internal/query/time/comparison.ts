import { type Calendar, MINUTE_MS, type Span, startOfDay, zoned } from "./calendar.ts";
import { InvalidField } from "./invalid-field.ts";
import { type Period, resolvePeriod } from "./period.ts";
import { unitAround } from "./relative.ts";
import { wallStart, wallTime } from "./wall-clock.ts";

/** What a period is compared to. */
export interface Comparison {
  readonly kind: "previous_period" | "previous_year" | "custom";
  /** Of a custom comparison alone. */
  readonly period?: Period;
  /** Whether days are moved so that both periods begin on the same day of the week. */
  readonly matchDayOfWeek: boolean;
  /** Whether a period that is not over is compared to as much of the other, up to the same local moment. */
  readonly cutToNow: boolean;
}

/**
 * The span that a period is compared to.
 *
 * - Previous period: of whole local months (quarters, years) as many whole months; of whole days as many days; of others
 *   as many ms; each just before.
 * - Previous year: of whole months the same months; else the same local dates, 28 February for the 29th.
 * - A relative period that holds the current unit is taken to that unit's end; cutToNow then cuts the other.
 * - matchDayOfWeek moves the other by up to three days, or further back where it would overlap.
 *
 * @param now epoch ms. @param path of the comparison as the wire names it.
 * @throws InvalidField for an invalid custom period, and where the other would begin before 1900.
 */
export function resolveComparison(
  period: Period,
  comparison: Comparison,
  calendar: Calendar,
  now: number,
  path = "comparison",
): Span {
  const first = wholeUnits(period, calendar, now);
  let other = otherOf(first, comparison, calendar, now, path);
  if (comparison.matchDayOfWeek) other = movedToWeekday(first, other, comparison, calendar);
  if (comparison.cutToNow && now < first.end) other = cut(first, other, calendar, now);
  if (other.start < EARLIEST) {
    throw new InvalidField(
      `${path}.kind`,
      comparison.kind,
      "of a period that it does not lead to before 1900",
    );
  }
  return other;
}

/** 1900-01-01 anywhere. */
const EARLIEST = Date.UTC(1899, 11, 31);

function wholeUnits(period: Period, calendar: Calendar, now: number): Span {
  const span = resolvePeriod(period, calendar, now);
  if (period.kind !== "relative" || !period.includeCurrent) return span;
  return { start: span.start, end: unitAround(now, period.unit, calendar).end };
}

function otherOf(
  first: Span,
  { kind, period }: Comparison,
  calendar: Calendar,
  now: number,
  path: string,
): Span {
  if (kind === "custom") {
    if (period === undefined) throw new InvalidField(`${path}.period`, "", "given for a custom comparison");
    return resolvePeriod(period, calendar, now, `${path}.period`);
  }
  const { timeZone } = calendar;
  const days = wholeDays(first, timeZone);
  if (days === undefined) {
    return kind === "previous_year" ? sameTimesLastYear(first, timeZone) : justBefore(first);
  }
  const other = spanOfDays(kind === "previous_year" ? sameDaysLastYear(days) : daysBefore(days), timeZone);
  // A single day before, which the zone skipped.
  return other.start < other.end ? other : justBefore(first);
}

/** Local days, the end excluded. */
interface Days {
  readonly from: Temporal.PlainDate;
  readonly to: Temporal.PlainDate;
}

/** The local days that a span consists of; undefined where it begins or ends within one. */
function wholeDays({ start, end }: Span, timeZone: string): Days | undefined {
  const from = zoned(start, timeZone).toPlainDate();
  const to = zoned(end, timeZone).toPlainDate();
  const isWhole = startOfDay(from, timeZone) === start && startOfDay(to, timeZone) === end;
  return isWhole ? { from, to } : undefined;
}

function spanOfDays({ from, to }: Days, timeZone: string): Span {
  return { start: startOfDay(from, timeZone), end: startOfDay(to, timeZone) };
}

const isWholeMonths = ({ from, to }: Days) => from.day === 1 && to.day === 1;

function daysBefore(days: Days): Days {
  const largestUnit = isWholeMonths(days) ? "months" : "days";
  return { from: days.from.subtract(days.from.until(days.to, { largestUnit })), to: days.from };
}

function sameDaysLastYear(days: Days): Days {
  const { from, to } = days;
  if (isWholeMonths(days)) return { from: from.subtract({ years: 1 }), to: to.subtract({ years: 1 }) };
  const last = to.subtract({ days: 1 }).subtract({ years: 1 });
  return { from: from.subtract({ years: 1 }), to: last.add({ days: 1 }) };
}

function sameTimesLastYear({ start, end }: Span, timeZone: string): Span {
  const lastYear = (time: number) => zoned(time, timeZone).subtract({ years: 1 }).epochMilliseconds;
  const from = lastYear(start);
  const to = lastYear(end);
  // From within 28 February to within the 29th there is nothing.
  return { start: from, end: to > from ? to : from + (end - start) };
}

function justBefore({ start, end }: Span): Span {
  return { start: start - (end - start), end: start };
}

function movedToWeekday(first: Span, other: Span, { kind }: Comparison, { timeZone }: Calendar): Span {
  const weekday = (time: number) => zoned(time, timeZone).dayOfWeek;
  const ahead = (weekday(first.start) - weekday(other.start) + 7) % 7;
  const moved = (days: number) => ({
    start: plusDays(other.start, days, timeZone),
    end: plusDays(other.end, days, timeZone),
  });
  const nearest = moved(ahead > 3 ? ahead - 7 : ahead);
  const wasApart = kind !== "custom" && other.end <= first.start;
  return wasApart && nearest.end > first.start ? moved(ahead - 7) : nearest;
}

function plusDays(time: number, days: number, timeZone: string): number {
  const local = zoned(time, timeZone);
  const date = local.toPlainDate();
  // A day may begin at 1 o'clock where its midnight does not exist; the day that it is moved to does not.
  if (startOfDay(date, timeZone) === time) return startOfDay(date.add({ days }), timeZone);
  return local.add({ days }).epochMilliseconds;
}

/** Cuts the other span as far from its start, by the local clock, as now is from the first's. */
function cut(first: Span, other: Span, { timeZone }: Calendar, now: number): Span {
  const passed = wallTime(now, timeZone) - wallStart(first.start, timeZone);
  const wall = wallStart(other.start, timeZone) + Math.max(passed, 0);
  const moment = Temporal.Instant.fromEpochMilliseconds(wall).toZonedDateTimeISO("UTC").toPlainDateTime();
  const end = moment.toZonedDateTime(timeZone).epochMilliseconds;
  // A period that has not begun is compared to a minute: a span is never empty.
  return { start: other.start, end: Math.min(other.end, Math.max(end, other.start + MINUTE_MS)) };
}
