import { DAY_MS } from "./day.ts";

const MINUTE_MS = 60_000;
/** A Monday, from which TimescaleDB counts buckets of whole days; ms since 1970-01-01 UTC. */
const ORIGIN = Date.UTC(2000, 0, 3);

export type GrainName = "15m" | "1d" | "7d" | "28d";

/** How long the buckets of an aggregate are, and when they are refreshed. */
export interface Grain {
  readonly name: GrainName;
  readonly ms: number;
  /**
   * How long a bucket must be over before it is refreshed, ms; undefined: it is refreshed while it goes on. Each refresh
   * works all of a bucket over, and what comes on the last seconds' heels is in.
   */
  readonly settledMs: number | undefined;
  /** Shortest pause between two rounds, ms: late events are gathered for so long. */
  readonly pauseMs: number;
  /** How many neighbouring buckets are refreshed as one span: at first, and at most while that is quick. */
  readonly atOnce: { readonly first: number; readonly most: number };
}

/** Shorter ones first: each is marked as the one before is cleared (invalidations.ts). */
export const GRAINS: readonly Grain[] = [
  {
    name: "15m",
    ms: 15 * MINUTE_MS,
    settledMs: undefined,
    pauseMs: 0,
    atOnce: { first: 96, most: 96 },
  },
  {
    name: "1d",
    ms: DAY_MS,
    settledMs: 15 * MINUTE_MS,
    pauseMs: MINUTE_MS,
    atOnce: { first: 1, most: 7 },
  },
  { name: "7d", ms: 7 * DAY_MS, settledMs: 0, pauseMs: MINUTE_MS, atOnce: { first: 1, most: 4 } },
  { name: "28d", ms: 28 * DAY_MS, settledMs: 0, pauseMs: MINUTE_MS, atOnce: { first: 1, most: 1 } },
];

export function grainOf(name: GrainName): Grain {
  return GRAINS.find((grain) => grain.name === name)!;
}

/** The grain whose buckets are marked as those of another are cleared; undefined for the longest. */
export function nextGrain({ name }: Grain): Grain | undefined {
  return GRAINS[GRAINS.findIndex((grain) => grain.name === name) + 1];
}

/** The start of the bucket that a time is in, ms since 1970-01-01 UTC. */
export function bucketStart({ ms }: Pick<Grain, "ms">, time: number): number {
  return ORIGIN + Math.floor((time - ORIGIN) / ms) * ms;
}

interface ContinuousAggregate {
  readonly name: string;
  readonly grain: GrainName;
  /** What it is computed from: rows of events, or the cells of another. */
  readonly of: "events" | "pages_1d" | "pages_7d";
  /** Whether it is of the merchants with rollups alone. */
  readonly isOfLargeMerchants: boolean;
}

/** Of all rows, of all merchants. */
export const TOTALS = "totals_15m";

const large = (grain: GrainName, name: string, of: ContinuousAggregate["of"] = "events") => ({
  name,
  grain,
  of,
  isOfLargeMerchants: true,
});

/** All of them (migrations/0004_aggregates.sql), each after those that it is computed from. */
export const AGGREGATES: readonly ContinuousAggregate[] = [
  { name: TOTALS, grain: "15m", of: "events", isOfLargeMerchants: false },
  large("15m", "sessions_15m"),
  large("1d", "pages_1d"),
  large("1d", "event_names_1d"),
  large("1d", "places_1d"),
  large("1d", "devices_1d"),
  large("1d", "visits_1d"),
  large("1d", "sampled_visits_1d"),
  large("7d", "pages_7d", "pages_1d"),
  large("28d", "pages_28d", "pages_7d"),
];

export const CONTINUOUS_AGGREGATES: readonly string[] = AGGREGATES.map(({ name }) => name);

/** The grain of an aggregate. */
export function grainOfAggregate(name: string): Grain {
  return grainOf(AGGREGATES.find((aggregate) => aggregate.name === name)!.grain);
}

/** The aggregates of a grain; without large merchants, those of everybody alone. */
export function aggregatesOf(grain: GrainName, hasLargeMerchants = true): string[] {
  return AGGREGATES.filter(
    (aggregate) => aggregate.grain === grain && (hasLargeMerchants || !aggregate.isOfLargeMerchants),
  ).map(({ name }) => name);
}
