import { EVENTS_PER_VISIT } from "./funnel.ts";
import type { Random } from "./random.ts";
import { Rhythm } from "./rhythm.ts";
import { regionOf } from "./shop.ts";
import { type Zipf, zipfWeight } from "./zipf.ts";

/** When the next visit begins, and at which merchant. */
export interface Arrivals {
  /** Milliseconds; Infinity when no visit comes any more. */
  readonly timeMs: number;
  /** Draws the merchant of the visit at `timeMs`. */
  merchant(): number;
  /** Moves on to the visit after. @param produced events that all visits made so far. */
  advance(produced: number): void;
}

/** Visits at a steady mean rate, on a clock that begins at 0. */
export class SteadyArrivals implements Arrivals {
  timeMs = 0;
  readonly #merchants: Zipf;
  readonly #random: Random;
  readonly #gapMs: number;

  /** @param eventsPerSecond what all visits together come to, once as many end as begin. */
  constructor(merchants: Zipf, eventsPerSecond: number, random: Random) {
    this.#merchants = merchants;
    this.#random = random;
    this.#gapMs = (EVENTS_PER_VISIT / eventsPerSecond) * 1_000;
  }

  merchant(): number {
    return this.#merchants.sample(this.#random);
  }

  advance(): void {
    this.timeMs += this.#random.exponential(this.#gapMs);
  }
}

export interface Span {
  /** First moment, milliseconds since 1970, UTC. */
  readonly fromMs: number;
  /** First moment after the span. */
  readonly toMs: number;
  /** How many events to spread over it. */
  readonly events: number;
}

/** Visits spread over a span of days, each merchant's by the rhythm of its own time zone. */
export class HistoryArrivals implements Arrivals {
  timeMs: number;
  readonly #seed: number;
  readonly #merchants: Zipf;
  readonly #random: Random;
  readonly #span: Span;
  readonly #rhythm: Rhythm;
  #visits = 0;

  constructor(
    seed: number,
    merchants: Zipf,
    shares: ReadonlyMap<string, number>,
    span: Span,
    random: Random,
  ) {
    this.#seed = seed;
    this.#merchants = merchants;
    this.#random = random;
    this.#span = span;
    this.#rhythm = new Rhythm(span.fromMs, span.toMs, shares);
    this.timeMs = span.fromMs;
    this.advance(0);
  }

  /** A merchant for whom it is the hour: drawn by size, and taken as often as its zone is busy. */
  merchant(): number {
    for (;;) {
      const merchant = this.#merchants.sample(this.#random);
      const { timeZone } = regionOf(this.#seed, merchant);
      if (this.#random.chance(this.#rhythm.relative(timeZone))) return merchant;
    }
  }

  /** The gap follows from what is still to come, so that the span's end and the last event meet. */
  advance(produced: number): void {
    const missing = this.#span.events - produced;
    const perVisit = (produced + 1_000 * EVENTS_PER_VISIT) / (this.#visits + 1_000);
    this.#visits++;
    if (missing <= 0) this.timeMs = Number.POSITIVE_INFINITY;
    else this.timeMs = this.#rhythm.spend(this.timeMs, this.#massOf(perVisit / missing));
  }

  #massOf(share: number): number {
    return this.#random.exponential(this.#rhythm.left * Math.min(share, 1));
  }
}

/** Beyond this rank merchants are alike enough to leave out of the sum: their zones mix as the others' do. */
const COUNTED = 50_000;

/** Each time zone's part of all merchants' traffic. */
export function zoneShares(seed: number, merchants: number, exponent: number): Map<string, number> {
  const shares = new Map<string, number>();
  for (let merchant = 0; merchant < Math.min(merchants, COUNTED); merchant++) {
    const { timeZone } = regionOf(seed, merchant);
    shares.set(timeZone, (shares.get(timeZone) ?? 0) + zipfWeight(merchant, exponent));
  }
  return shares;
}
