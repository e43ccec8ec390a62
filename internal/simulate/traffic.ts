import type { Event } from "../gen/footfall/event/v1/event_pb.js";
import { type Arrivals, HistoryArrivals, type Span, SteadyArrivals, zoneShares } from "./arrivals.ts";
import { Crowd } from "./crowd.ts";
import { type Outbox, Outboxes } from "./outboxes.ts";
import { Random } from "./random.ts";
import { Shops } from "./shop.ts";
import { toEvent } from "./to-event.ts";
import type { Chance } from "./visit.ts";
import { Zipf } from "./zipf.ts";

/** Events that belong in one SendRequest. Events share parts (items, properties): read-only. */
export interface TrafficRequest {
  /** 0 is the largest merchant. */
  readonly merchant: number;
  /** 1 to `batch` events, in the order in which they happened. */
  readonly events: Event[];
}

/** A source of requests. */
export interface Traffic {
  /** What the merchants are: names, hosts, currencies, time zones, products. */
  readonly shops: Shops;
  /**
   * The next request.
   * @param nowMs milliseconds since 1970, UTC: the time of live events; history does not look at it.
   * @returns undefined when history is over; live traffic does not end.
   */
  nextRequest(nowMs: number): TrafficRequest | undefined;
}

/** History as a source of requests. */
export interface HistoryTraffic extends Traffic {
  /** Every event before this time, ms since 1970, was handed out; Infinity at the end. It never goes back. */
  completeBefore(): number;
}

export interface TrafficOptions {
  /** Same seed, same traffic. Whole, 0 or more. */
  readonly seed: number;
  /** 1 to 1,000,000. */
  readonly merchants: number;
  /** Events of a request at most; 1 to 1,000. */
  readonly batch: number;
  /** Sizes fall as 1 / rank^skew. Default 1. */
  readonly skew?: number;
}

export interface LiveOptions extends TrafficOptions {
  /** Goes into all ids that must be unique, so that two runs of one seed do not collide. Whole, 0 or more. */
  readonly run: number;
  /** Events per second that will be asked for; 0 or absent: as many as can be. Visits are paced by it. */
  readonly rate?: number;
}

export interface HistoryOptions extends TrafficOptions, Span {}

/** Events that wait in outboxes at most; larger ones make fuller requests of small merchants. */
const HELD_EVENTS = 50_000;

/** Faster traffic runs its visits faster than life: real ones in such numbers would not fit in memory. */
const LIFELIKE_EVENTS_PER_SECOND = 100;

/** How long an SDK holds an event, milliseconds of real time. */
const LINGER_MS = 1_000;

/** Salts of the two sequences of random numbers. */
const BEHAVIOUR = 11;
const IDS = 12;

/** Traffic that happens now, without end: every event's time is the `nowMs` at which it is handed out. */
export function liveTraffic(options: LiveOptions): Traffic {
  const rate = options.rate || Number.POSITIVE_INFINITY;
  const pace = Math.min(rate, LIFELIKE_EVENTS_PER_SECOND);
  const chance = chanceOf(options.seed, options.run);
  const arrivals = new SteadyArrivals(sizes(options), pace, chance.behaviour);
  const outboxes = new Outboxes(options.batch, (LINGER_MS * rate) / pace, HELD_EVENTS);
  return traffic(options, arrivals, chance, outboxes, (box, nowMs) =>
    box.map((happening) => toEvent(happening, nowMs, chance.ids)),
  );
}

/**
 * Traffic of a span of days in roughly the order of time, byte for byte the same for the same options. It
 * ends by itself: at `events`, or at the end of the span, then short by a few visits or a few of a thousand.
 */
export function historyTraffic(options: HistoryOptions): HistoryTraffic {
  const chance = chanceOf(options.seed, 0);
  const { seed, merchants, skew = 1 } = options;
  const shares = zoneShares(seed, merchants, skew);
  const arrivals = new HistoryArrivals(seed, sizes(options), shares, options, chance.behaviour);
  const outboxes = new Outboxes(options.batch, Number.POSITIVE_INFINITY, HELD_EVENTS);
  return traffic(
    options,
    arrivals,
    chance,
    outboxes,
    (box) => box.map((happening) => toEvent(happening, happening.timeMs, chance.ids)),
    options,
  );
}

function sizes({ merchants, skew = 1 }: TrafficOptions): Zipf {
  return new Zipf(merchants, skew);
}

function chanceOf(seed: number, run: number): Chance {
  return { behaviour: new Random(seed, BEHAVIOUR), ids: new Random(seed, IDS, run) };
}

type Stamp = (box: Outbox, nowMs: number) => Event[];

function traffic(
  { seed, merchants }: TrafficOptions,
  arrivals: Arrivals,
  chance: Chance,
  outboxes: Outboxes,
  stamp: Stamp,
  end: { readonly events: number; readonly toMs: number } = FOREVER,
): HistoryTraffic {
  const shops = new Shops(seed);
  const crowd = new Crowd(seed, merchants, shops, arrivals, chance);
  let produced = 0;
  let reachedMs = Number.NEGATIVE_INFINITY;
  const nextBox = (): Outbox | undefined => {
    while (produced < end.events) {
      const happening = crowd.next();
      if (happening === undefined || happening.timeMs >= end.toMs) break;
      produced++;
      reachedMs = happening.timeMs;
      const box = outboxes.add(happening) ?? outboxes.takeDue(happening.timeMs);
      if (box !== undefined) return box;
    }
    reachedMs = Number.POSITIVE_INFINITY;
    return outboxes.takeOldest();
  };
  const nextRequest = (nowMs: number) => {
    const box = nextBox();
    return box && { merchant: box[0]!.visit.shop.merchant, events: stamp(box, nowMs) };
  };
  return { shops, nextRequest, completeBefore: () => Math.min(reachedMs, outboxes.oldestMs) };
}

const FOREVER = { events: Number.POSITIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
