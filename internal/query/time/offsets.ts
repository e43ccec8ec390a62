import { type Span, zoned } from "./calendar.ts";

/** A span in which a zone's offset from UTC does not change. Local time is UTC plus the offset. */
export interface OffsetSpan extends Span {
  /** Ms; whole minutes since 1972 in every zone, seconds before. */
  readonly offsetMs: number;
}

/**
 * The offsets that a zone has within a span, ascending, without gaps. With them a statement can do without AT TIME
 * ZONE: most spans have one to three. Some 3 µs each.
 */
export function offsetsWithin({ start, end }: Span, timeZone: string): OffsetSpan[] {
  const offsets: OffsetSpan[] = [];
  let from: Temporal.ZonedDateTime | null = zoned(start, timeZone);
  while (from !== null && from.epochMilliseconds < end) {
    const next: Temporal.ZonedDateTime | null = from.getTimeZoneTransition("next");
    const until = Math.min(end, next?.epochMilliseconds ?? end);
    offsets.push({ start: from.epochMilliseconds, end: until, offsetMs: from.offsetNanoseconds / 1e6 });
    from = next;
  }
  return offsets;
}
