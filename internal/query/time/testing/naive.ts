import type { Granularity } from "../beginnings.ts";
import type { Calendar } from "../calendar.ts";

/** Computed apart from the code under test: by looking at every minute with Intl, which knows no offsets. */

/** Half and quarter hours, a skipped day, a clock that goes back for Ramadan, midnights that do not exist or come twice. */
export const ZONES = [
  ...["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham"],
  ...["Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo", "America/Havana", "America/St_Johns", "UTC"],
];

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

export interface Local {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  /** Days since 1970-01-01 by the local calendar. */
  readonly dayNumber: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What a zone's clock and calendar show at an instant. */
export function localOf(time: number, timeZone: string): Local {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const numeric = "numeric" as const;
    const fields = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric };
    format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", calendar: "gregory", ...fields });
    formats.set(timeZone, format);
  }
  // "3/31/2024, 02:05"
  const [month, day, year, hour, minute] = format.format(time).split(/\D+/).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { year, month, day, hour, minute, dayNumber: Date.UTC(year, month - 1, day) / DAY };
}

/** What of the calendar a local time lies in: it only grows. */
function unitOf(local: Local, granularity: Granularity, firstDayOfWeek: number): number {
  switch (granularity) {
    case "week":
      // 1970-01-01 was a Thursday, day 4 of a week from Monday.
      return Math.floor((local.dayNumber + 4 - firstDayOfWeek) / 7);
    case "month":
      return local.year * 12 + local.month;
    case "quarter":
      return local.year * 4 + Math.ceil(local.month / 3);
    case "year":
      return local.year;
    default:
      return local.dayNumber;
  }
}

const CLOCK_MINUTES: Partial<Record<Granularity, number>> = { minute: 1, quarter_hour: 15, hour: 60 };

/** The instants of [start, end) at which a unit begins, looked for every minute or `step` ms. */
export function naiveBeginnings(
  [start, end]: readonly [number, number],
  granularity: Granularity,
  { timeZone, firstDayOfWeek }: Calendar,
  step = MINUTE,
): number[] {
  const minutes = CLOCK_MINUTES[granularity];
  const found: number[] = [];
  let most = Number.NEGATIVE_INFINITY;
  for (let time = minutes === undefined ? start - 3 * DAY : start; time < end; time += step) {
    const local = localOf(time, timeZone);
    const unit = unitOf(local, granularity, firstDayOfWeek);
    const begins = minutes === undefined ? unit > most : local.minute % minutes === 0;
    if (begins && time >= start) found.push(time);
    most = Math.max(most, unit);
  }
  return found;
}
