import { Granularity } from "../../gen/footfall/query/v1/period_pb.js";

interface WallClock {
  /** YYYY-MM-DD. */
  readonly date: string;
  /** HH:MM. */
  readonly time: string;
  /** "+01:00"; "+00:00" for UTC. */
  readonly offset: string;
}

/** Instants as a clock in one time zone shows them. */
export class LocalTime {
  readonly #format: Intl.DateTimeFormat;

  /** @param timeZone IANA name. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      timeZoneName: "longOffset",
    });
  }

  /** @param ms since 1970-01-01 UTC. */
  at(ms: number): WallClock {
    const parts = Object.fromEntries(this.#format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const { year, month, day, hour, minute, timeZoneName = "" } = parts;
    return {
      date: `${year!.padStart(4, "0")}-${month}-${day}`,
      time: `${hour}:${minute}`,
      offset: timeZoneName.replace("GMT", "") || "+00:00",
    };
  }

  /** A bucket as people name it: 2026-11-30, 2026-11-30 13:00, 2026-11, 2026 Q4, 2026. */
  bucket(startMs: number, granularity: Granularity): string {
    const { date, time } = this.at(startMs);
    switch (granularity) {
      case Granularity.MINUTE:
      case Granularity.QUARTER_HOUR:
      case Granularity.HOUR:
        return `${date} ${time}`;
      case Granularity.MONTH:
        return date.slice(0, 7);
      case Granularity.QUARTER:
        return `${date.slice(0, 4)} Q${Math.ceil(Number(date.slice(5, 7)) / 3)}`;
      case Granularity.YEAR:
        return date.slice(0, 4);
      default:
        return date;
    }
  }

  /** A bucket as programs read it: the date of days and longer ones, else ISO 8601 with the offset. */
  iso(startMs: number, granularity: Granularity): string {
    const { date, time, offset } = this.at(startMs);
    return granularity > Granularity.HOUR ? date : `${date}T${time}:00${offset}`;
  }

  /** From one instant to another, which is excluded: as days where both are midnights. */
  range({ startMs, endMs }: { readonly startMs: number; readonly endMs: number }): string {
    const [start, end] = [this.at(startMs), this.at(endMs)];
    if (start.time !== "00:00" || end.time !== "00:00") {
      return `${start.date} ${start.time} to ${end.date} ${end.time}`;
    }
    const last = this.at(endMs - 1).date;
    return start.date === last ? last : `${start.date} to ${last}`;
  }
}
