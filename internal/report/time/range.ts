import { InvalidInput } from "../errors.ts";

/** Whole local days, both included, as YYYY-MM-DD. */
export interface DateRange {
  readonly kind: "dates";
  readonly start: string;
  readonly end: string;
}

/** From one instant to another, the end excluded, in epoch nanoseconds. Whole minutes only. */
export interface TimeRange {
  readonly kind: "times";
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** A span of absolute time, [start, end), in epoch milliseconds; start < end. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The longest range, milliseconds: 100 years with their leap days. */
const MAX_RANGE_MS = 36_525 * 86_400_000;
const MINUTE_NS = 60_000_000_000n;

// Within these bounds every instant has a four-digit year, in every zone and in SQL.
const FIRST_DATE = Temporal.PlainDate.from("1900-01-01");
const LAST_DATE = Temporal.PlainDate.from("9999-12-30");
const FIRST_NS = FIRST_DATE.toZonedDateTime("UTC").epochNanoseconds;
const LAST_NS = LAST_DATE.toZonedDateTime("UTC").epochNanoseconds;
const BOUNDS = `does not lie between ${FIRST_DATE} and ${LAST_DATE}`;

/**
 * The span that a range covers in a time zone (a valid IANA name).
 *
 * @throws InvalidInput on "dates.start", "dates.end", "times.start" or "times.end": not a date, not whole
 * minutes, out of bounds, start not before end, longer than 100 years, or a day that the zone skipped.
 */
export function spanOf(range: DateRange | TimeRange, timeZone: string): Span {
  const span = range.kind === "dates" ? spanOfDates(range, timeZone) : spanOfTimes(range);
  if (span.end - span.start > MAX_RANGE_MS) {
    const end = range.kind === "dates" ? range.end : isoText(range.endNs);
    throw new InvalidInput(`${range.kind}.end`, end, "is more than 100 years after the start");
  }
  return span;
}

function spanOfDates({ start, end }: DateRange, timeZone: string): Span {
  const first = parseDate("dates.start", start);
  const last = parseDate("dates.end", end);
  if (Temporal.PlainDate.compare(first, last) > 0) {
    throw new InvalidInput("dates.start", start, `is after dates.end "${end}"`);
  }
  const span = { start: startOfDay(first, timeZone), end: startOfDay(last.add({ days: 1 }), timeZone) };
  // Islands that crossed the date line skipped a whole day: Pacific/Apia has no 2011-12-30.
  if (span.start >= span.end) throw new InvalidInput("dates.start", start, `never was in ${timeZone}`);
  return span;
}

function spanOfTimes({ startNs, endNs }: TimeRange): Span {
  const start = parseInstant("times.start", startNs);
  const end = parseInstant("times.end", endNs);
  if (start >= end) {
    throw new InvalidInput("times.start", isoText(startNs), `is not before times.end "${isoText(endNs)}"`);
  }
  return { start, end };
}

/** The first instant of a local day, epoch milliseconds: midnight, or where it does not exist, what follows. */
export function startOfDay(date: Temporal.PlainDate, timeZone: string): number {
  return date.toZonedDateTime(timeZone).epochMilliseconds;
}

function parseDate(field: string, text: string): Temporal.PlainDate {
  const date = dateOrUndefined(text);
  if (date === undefined) throw new InvalidInput(field, text, "is not a date of the form YYYY-MM-DD");
  const { compare } = Temporal.PlainDate;
  if (compare(date, FIRST_DATE) < 0 || compare(date, LAST_DATE) > 0)
    throw new InvalidInput(field, text, BOUNDS);
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

function parseInstant(field: string, ns: bigint): number {
  if (ns < FIRST_NS || ns > LAST_NS) throw new InvalidInput(field, isoText(ns), BOUNDS);
  if (ns % MINUTE_NS !== 0n) throw new InvalidInput(field, isoText(ns), "is not a whole minute");
  return Number(ns / 1_000_000n);
}

function isoText(ns: bigint): string {
  try {
    return new Temporal.Instant(ns).toString();
  } catch {
    return `${ns} ns after 1970`;
  }
}
