import type { Arrivals } from "./arrivals.ts";
import { crawlerUserAgent } from "./devices.ts";
import { landing } from "./funnel.ts";
import { hex16 } from "./ids.ts";
import type { Shop, Shops } from "./shop.ts";
import { arrive } from "./sources.ts";
import { act, type Chance, type Happening, type Visit } from "./visit.ts";
import { VisitQueue } from "./visit-queue.ts";
import { address, Population, visitorOf } from "./visitor.ts";

/** Share of visits that are a crawler's. */
const CRAWLERS = 0.03;

/** Everyone who is visiting: a simulation of discrete events, in the order of their times. */
export class Crowd {
  readonly #seed: number;
  readonly #shops: Shops;
  readonly #arrivals: Arrivals;
  readonly #chance: Chance;
  readonly #population: Population;
  readonly #queue = new VisitQueue();
  #produced = 0;

  constructor(seed: number, merchants: number, shops: Shops, arrivals: Arrivals, chance: Chance) {
    this.#seed = seed;
    this.#shops = shops;
    this.#arrivals = arrivals;
    this.#chance = chance;
    this.#population = new Population(merchants);
  }

  /**
   * Lets the next thing happen. Its time is never before the one before.
   * @returns undefined when all visits are over.
   */
  next(): Happening | undefined {
    while (this.#arrivals.timeMs <= this.#queue.firstMs) {
      if (this.#arrivals.timeMs === Number.POSITIVE_INFINITY) return undefined;
      this.#queue.add(this.#arrivals.timeMs, this.#begin(this.#shops.get(this.#arrivals.merchant())));
      this.#arrivals.advance(this.#produced);
    }
    const timeMs = this.#queue.firstMs;
    const visit = this.#queue.first;
    const happening = act(visit, timeMs, this.#chance);
    if (visit.next === "end") this.#queue.removeFirst();
    else this.#queue.postponeFirst(timeMs + visit.waitMs);
    this.#produced++;
    return happening;
  }

  #begin(shop: Shop): Visit {
    return this.#chance.behaviour.chance(CRAWLERS) ? this.#crawler(shop) : this.#person(shop);
  }

  #person(shop: Shop): Visit {
    const { behaviour, ids } = this.#chance;
    const number = this.#population.next(shop.merchant, behaviour);
    const visitor = visitorOf(this.#seed, shop.merchant, number, shop.region);
    const { referrer, query } = arrive(behaviour);
    return {
      ...BLANK,
      shop,
      visitorId: visitor.id,
      sessionId: hex16(ids),
      crawler: false,
      userAgent: visitor.device.userAgent,
      ip: visitor.ip,
      language: visitor.language,
      screen: visitor.screen,
      // People buy less on phones, and some come to buy while most only look.
      intent: (visitor.device.mobile ? 0.8 : 1.3) * (0.3 + 1.4 * behaviour.unit()),
      query,
      url: referrer,
      next: landing(behaviour),
    };
  }

  #crawler(shop: Shop): Visit {
    const { behaviour } = this.#chance;
    const userAgent = crawlerUserAgent(behaviour);
    const next = landing(behaviour);
    return { ...BLANK, shop, crawler: true, userAgent, ip: address(behaviour), next };
  }
}

const BLANK = {
  visitorId: "",
  sessionId: "",
  crawler: false,
  language: "",
  screen: undefined,
  intent: 0,
  query: "",
  url: "",
  referrer: "",
  product: undefined,
  item: undefined,
  cart: [],
  pages: 0,
  timeMs: 0,
  waitMs: 0,
} as const satisfies Partial<Visit>;
