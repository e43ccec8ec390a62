import { InvalidInput } from "../errors.ts";
import { type Span, startOfDay } from "./range.ts";

/** How long a bucket is. All but the calendar's (day, week, month) follow the minute hand of the local clock. */
export type Granularity = "minute" | "quarter_hour" | "hour" | "day" | "week" | "month";

/** The most buckets that a report may have. */
export const MAX_BUCKETS = 10_000;

const CLOCK_STEP_MS = { minute: 60_000, quarter_hour: 900_000, hour: 3_600_000 } as const;

/**
 * The edges of a span's buckets, epoch milliseconds: bucket i is [edges[i], edges[i + 1]).
 *
 * Edges ascend strictly; the first is the span's start and the last its end, so that the first and the last
 * bucket are cut there. An hour begins whenever the local clock shows minute 0 (so a clock that jumps by half
 * an hour makes a bucket of 30 or 90 minutes); a day at its first instant.
 * @param timeZone a valid IANA name.
 * @throws InvalidInput on "granularity" when there would be more than MAX_BUCKETS buckets.
 */
export function bucketEdges(span: Span, timeZone: string, granularity: Granularity): number[] {
  const edges = [span.start];
  for (const edge of edgesFrom(span, timeZone, granularity)) {
    if (edge >= span.end) break;
    // A day that the zone skipped begins where the next one does: it is no bucket.
    if (edge <= edges.at(-1)!) continue;
    if (edges.length === MAX_BUCKETS) {
      throw new InvalidInput(
        "granularity",
        granularity,
        `makes more than ${MAX_BUCKETS} buckets of the range`,
      );
    }
    edges.push(edge);
  }
  edges.push(span.end);
  return edges;
}

function edgesFrom(span: Span, timeZone: string, granularity: Granularity): Iterable<number> {
  switch (granularity) {
    case "minute":
    case "quarter_hour":
    case "hour":
      return clockEdges(span, timeZone, CLOCK_STEP_MS[granularity]);
    case "day":
    case "week":
    case "month":
      return calendarEdges(span.start, timeZone, granularity);
  }
}

/** Every instant of the span at which the local clock shows a multiple of the step. */
function* clockEdges(span: Span, timeZone: string, stepMs: number): Generator<number> {
  let now: Temporal.ZonedDateTime | null = zoned(span.start, timeZone);
  while (now !== null && now.epochMilliseconds < span.end) {
    // Between two changes of the clock the offset is constant, so local steps are absolute steps.
    const change: Temporal.ZonedDateTime | null = now.getTimeZoneTransition("next");
    const until = Math.min(span.end, change?.epochMilliseconds ?? span.end);
    const local = now.epochMilliseconds + now.offsetNanoseconds / 1e6;
    const sinceStep = ((local % stepMs) + stepMs) % stepMs;
    const first = now.epochMilliseconds + (sinceStep === 0 ? 0 : stepMs - sinceStep);
    for (let edge = first; edge < until; edge += stepMs) yield edge;
    now = change;
  }
}

/** The beginnings of local days, weeks or months after the start, without end. */
function* calendarEdges(
  start: number,
  timeZone: string,
  granularity: "day" | "week" | "month",
): Generator<number> {
  let date = zoned(start, timeZone).toPlainDate();
  while (true) {
    date = nextBeginning(date, granularity);
    yield startOfDay(date, timeZone);
  }
}

function nextBeginning(date: Temporal.PlainDate, granularity: "day" | "week" | "month"): Temporal.PlainDate {
  switch (granularity) {
    case "day":
      return date.add({ days: 1 });
    case "week":
      return date.add({ days: 8 - date.dayOfWeek });
    case "month":
      return date.with({ day: 1 }).add({ months: 1 });
  }
}

function zoned(epochMs: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone);
}
