const HOUR_MS = 3_600_000;

/** How busy a shop is by its local hour, against its average hour of about 0.75. */
const BY_HOUR: readonly number[] = [
  0.35, 0.2, 0.13, 0.1, 0.1, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 1, 1.05, 1, 0.95, 0.95, 1, 1.05, 1.15, 1.3, 1.4,
  1.3, 1, 0.65,
];

/** From Monday to Sunday. */
const BY_DAY: readonly number[] = [1, 0.98, 0.97, 1, 1.02, 1.12, 1.25];

/** How busy a shop in a time zone is at a moment; the local clock's hours are joined by straight lines. */
export function busyness(timeMs: number, timeZone: string): number {
  const local = Temporal.Instant.fromEpochMilliseconds(timeMs).toZonedDateTimeISO(timeZone);
  const from = BY_HOUR[local.hour]!;
  const to = BY_HOUR[(local.hour + 1) % 24]!;
  return (from + (to - from) * (local.minute / 60)) * BY_DAY[local.dayOfWeek - 1]!;
}

/**
 * The daily and weekly rhythm of a span of time, in steps of an hour: of each time zone, and of all of them
 * together by their share of the traffic. The span's traffic is its mass; it may be cut short at both ends.
 */
export class Rhythm {
  readonly #fromMs: number;
  readonly #toMs: number;
  readonly #zones: ReadonlyMap<string, Float64Array>;
  readonly #peaks: Float64Array;
  readonly #hourly: Float64Array;
  #hour = 0;
  #left: number;

  /**
   * @param fromMs first moment, milliseconds since 1970, UTC.
   * @param toMs first moment after the span.
   * @param shares each time zone's part of the traffic, of any sum.
   */
  constructor(fromMs: number, toMs: number, shares: ReadonlyMap<string, number>) {
    const hours = Math.ceil((toMs - fromMs) / HOUR_MS);
    const middle = (hour: number) => fromMs + (hour + 0.5) * HOUR_MS;
    const curve = (zone: string) => Float64Array.from({ length: hours }, (_, h) => busyness(middle(h), zone));
    this.#fromMs = fromMs;
    this.#toMs = toMs;
    this.#zones = new Map([...shares.keys()].map((zone) => [zone, curve(zone)]));
    const curves = [...this.#zones].map(([zone, values]) => ({ values, share: shares.get(zone)! }));
    this.#peaks = Float64Array.from({ length: hours }, (_, h) =>
      Math.max(...curves.map((c) => c.values[h]!)),
    );
    this.#hourly = Float64Array.from({ length: hours }, (_, hour) =>
      curves.reduce((sum, { values, share }) => sum + share * values[hour]! * this.#hoursIn(hour), 0),
    );
    this.#left = this.#hourly.reduce((sum, mass) => sum + mass, 0);
  }

  /** How much of the span's traffic is still to come after the last `spend`. */
  get left(): number {
    return this.#left;
  }

  /** Moves from a moment onwards until `mass` of the traffic has passed; Infinity when the span is over. */
  spend(fromMs: number, mass: number): number {
    let timeMs = fromMs;
    let rest = mass;
    this.#left -= mass;
    for (; this.#hour < this.#hourly.length; this.#hour++) {
      const endMs = Math.min(this.#fromMs + (this.#hour + 1) * HOUR_MS, this.#toMs);
      const density = this.#hourly[this.#hour]! / this.#hoursIn(this.#hour) / HOUR_MS;
      const available = (endMs - timeMs) * density;
      if (rest < available) return timeMs + rest / density;
      rest -= available;
      timeMs = endMs;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** How busy a zone is in the hour that was last reached, against the busiest zone's 1. */
  relative(timeZone: string): number {
    return this.#zones.get(timeZone)![this.#hour]! / this.#peaks[this.#hour]!;
  }

  #hoursIn(hour: number): number {
    return Math.min(1, (this.#toMs - this.#fromMs) / HOUR_MS - hour);
  }
}
