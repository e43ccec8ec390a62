import { InvalidField } from "./invalid-field.ts";

/** A span of absolute time, [start, end), ms since 1970-01-01 UTC; start < end. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** By which rules days and weeks begin. */
export interface Calendar {
  /** A valid IANA name. */
  readonly timeZone: string;
  /** 1 Monday to 7 Sunday. */
  readonly firstDayOfWeek: number;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/**
 * The IANA name of a time zone in its usual spelling ("asia/kathmandu" gives "Asia/Kathmandu").
 * @throws InvalidField for unknown names, and for offsets such as "+05:45": they are no names, and know nothing of the
 *   days on which a clock changes.
 */
export function timeZoneNamed(name: string, field = "scope.time_zone"): string {
  if (!/^[A-Za-z]/.test(name)) throw unknownZone(name, field);
  try {
    return new Temporal.ZonedDateTime(0n, name).timeZoneId;
  } catch {
    throw unknownZone(name, field);
  }
}

function unknownZone(name: string, field: string): InvalidField {
  return new InvalidField(field, name, "the name of an IANA time zone such as Europe/Berlin");
}

/** An instant as a zone's local clock shows it. */
export function zoned(time: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timeZone);
}

/** The first instant of a local day, epoch ms: midnight, or where it does not exist, what follows. */
export function startOfDay(date: Temporal.PlainDate, timeZone: string): number {
  return date.toZonedDateTime(timeZone).epochMilliseconds;
}
