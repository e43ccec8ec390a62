import type { Granularity } from "./beginnings.ts";
import { type Calendar, DAY_MS, MINUTE_MS, type Span, startOfDay } from "./calendar.ts";
import { InvalidField } from "./invalid-field.ts";
import { spanOfRelative } from "./relative.ts";

/** Whole local days. */
export interface DatePeriod {
  readonly kind: "dates";
  /** YYYY-MM-DD. */
  readonly startDate: string;
  /** Included, YYYY-MM-DD. */
  readonly endDate: string;
}

/** From one instant to another, epoch ms, whole minutes. */
export interface TimePeriod {
  readonly kind: "times";
  readonly startTime: number;
  /** Excluded. */
  readonly endTime: number;
}

/** The last so many units of the local calendar: it moves along with now. */
export interface RelativePeriod {
  readonly kind: "relative";
  readonly unit: Granularity;
  /** 1 to MAX_COUNT. */
  readonly count: number;
  /** Whether the current unit is one of them: the period then ends now, else where the current unit begins. */
  readonly includeCurrent: boolean;
}

export type Period = DatePeriod | TimePeriod | RelativePeriod;

/** The most units of a relative period. */
export const MAX_COUNT = 10_000;

/** The longest period, ms: 100 years with their leap days. */
const MAX_PERIOD_MS = 36_525 * DAY_MS;

// Within these every instant has a year of four digits, in every zone and in SQL.
const FIRST_DATE = Temporal.PlainDate.from("1900-01-01");
const LAST_DATE = Temporal.PlainDate.from("9999-12-30");
const FIRST_TIME = startOfDay(FIRST_DATE, "UTC");
const LAST_TIME = startOfDay(LAST_DATE, "UTC");
const BOUNDS = `between ${FIRST_DATE} and ${LAST_DATE}`;

/**
 * The span that a period covers.
 *
 * A relative period that holds the current unit ends with the minute that now lies in: the newest events are in it, and
 * within a minute the same question has the same period.
 *
 * @param now epoch ms. @param path of the period as the wire names it.
 * @throws InvalidField for dates that are none or that the zone skipped, instants within a minute, a start that is
 *   not before the end, and what is longer than 100 years or not between 1900 and 9999.
 */
export function resolvePeriod(period: Period, calendar: Calendar, now: number, path = "period"): Span {
  const { span, last } = resolved(period, calendar, now, path);
  if (span.start < FIRST_TIME - DAY_MS) {
    throw new InvalidField(last.field, last.value, `few enough to begin after ${FIRST_DATE}`);
  }
  if (span.end - span.start > MAX_PERIOD_MS) {
    throw new InvalidField(last.field, last.value, "at most 100 years after the start");
  }
  return span;
}

interface Resolved {
  readonly span: Span;
  /** The field that is told of where the span is too long. */
  readonly last: { readonly field: string; readonly value: string | number };
}

function resolved(period: Period, calendar: Calendar, now: number, path: string): Resolved {
  switch (period.kind) {
    case "dates": {
      const last = { field: `${path}.dates.end_date`, value: period.endDate };
      return { span: spanOfDates(period, calendar, `${path}.dates`), last };
    }
    case "times": {
      const last = { field: `${path}.times.end_time`, value: isoText(period.endTime) };
      return { span: spanOfTimes(period, `${path}.times`), last };
    }
    case "relative": {
      const last = { field: `${path}.relative.count`, value: period.count };
      if (!Number.isInteger(period.count) || period.count < 1 || period.count > MAX_COUNT) {
        throw new InvalidField(last.field, last.value, `a whole number from 1 to ${MAX_COUNT}`);
      }
      return { span: spanOfRelative(period, calendar, now), last };
    }
  }
}

function spanOfDates({ startDate, endDate }: DatePeriod, { timeZone }: Calendar, path: string): Span {
  const first = parseDate(`${path}.start_date`, startDate);
  const last = parseDate(`${path}.end_date`, endDate);
  if (Temporal.PlainDate.compare(first, last) > 0) {
    throw new InvalidField(`${path}.start_date`, startDate, `no later than end_date "${endDate}"`);
  }
  const span = { start: startOfDay(first, timeZone), end: startOfDay(last.add({ days: 1 }), timeZone) };
  // Islands that crossed the date line skipped a whole day: Pacific/Apia has no 2011-12-30.
  if (span.start >= span.end) {
    throw new InvalidField(`${path}.start_date`, startDate, `a day that ${timeZone} has had`);
  }
  return span;
}

function spanOfTimes({ startTime, endTime }: TimePeriod, path: string): Span {
  checkInstant(`${path}.start_time`, startTime);
  checkInstant(`${path}.end_time`, endTime);
  if (startTime >= endTime) {
    throw new InvalidField(`${path}.start_time`, isoText(startTime), `before end_time "${isoText(endTime)}"`);
  }
  return { start: startTime, end: endTime };
}

function parseDate(field: string, text: string): Temporal.PlainDate {
  const date = dateOrUndefined(text);
  if (date === undefined) throw new InvalidField(field, text, "a date of the form YYYY-MM-DD");
  const { compare } = Temporal.PlainDate;
  if (compare(date, FIRST_DATE) < 0 || compare(date, LAST_DATE) > 0) {
    throw new InvalidField(field, text, BOUNDS);
  }
  return date;
}

function dateOrUndefined(text: string): Temporal.PlainDate | undefined {
  // Temporal alone would also take "20240101" and times of day.
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  try {
    return Temporal.PlainDate.from(text);
  } catch {
    return undefined;
  }
}

function checkInstant(field: string, time: number): void {
  if (!(time >= FIRST_TIME && time <= LAST_TIME)) throw new InvalidField(field, isoText(time), BOUNDS);
  if (time % MINUTE_MS !== 0) throw new InvalidField(field, isoText(time), "a whole minute");
}

function isoText(time: number): string {
  try {
    return Temporal.Instant.fromEpochMilliseconds(time).toString();
  } catch {
    return `${time} ms since 1970`;
  }
}
