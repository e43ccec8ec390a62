import { valuesOf } from "../event/property-value.ts";
import type { Event, Item, Order, Screen } from "../gen/footfall/event/v1/event_pb.js";
import { afterCart, afterCheckout, afterItem, afterPage, afterPutInCart, type Step } from "./funnel.ts";
import { placeOrder } from "./order.ts";
import type { Random } from "./random.ts";
import { type Product, type Shop, variantOf } from "./shop.ts";
import { SEARCH_TERMS } from "./words.ts";

/** A visit in progress: who, where they are, and what they do next. */
export interface Visit {
  readonly shop: Shop;
  /** Empty for crawlers, whom an SDK on the server sees without a cookie; so is sessionId. */
  readonly visitorId: string;
  readonly sessionId: string;
  readonly crawler: boolean;
  readonly userAgent: string;
  readonly ip: string;
  readonly language: string;
  readonly screen: Screen | undefined;
  /** How likely they buy, against the average of 1. */
  readonly intent: number;
  /** Query of the landing page; emptied once they have landed. */
  query: string;
  /** Page they are on; before they have landed, the page that sent them. */
  url: string;
  referrer: string;
  product: Product | undefined;
  item: Item | undefined;
  cart: Item[];
  pages: number;
  /** Time of what happened last, whole milliseconds. */
  timeMs: number;
  next: Step;
  /** Time from the event before to the next one, whole milliseconds. */
  waitMs: number;
}

/**
 * What happened: all that an event says beyond its visit, its id and its time. Many of these wait to be sent;
 * the far larger event is made when they are.
 */
export interface Happening {
  readonly visit: Visit;
  /** By the clock of the arrivals, whole milliseconds. */
  readonly timeMs: number;
  readonly name: string;
  readonly url: string;
  readonly referrer: string;
  readonly properties: Event["properties"];
  readonly items: Item[];
  readonly order: Order | undefined;
}

/** Where chance comes from: `behaviour` decides what happens, `ids` makes names that must be unique. */
export interface Chance {
  readonly behaviour: Random;
  readonly ids: Random;
}

type Action = (visit: Visit, chance: Chance) => Happening;

const ACTIONS: { readonly [S in Exclude<Step, "end">]: Action } = {
  home: (visit, { behaviour }) => openPage(visit, behaviour, visit.shop.homeUrl, PAGES.home),
  category: (visit, { behaviour }) =>
    openPage(visit, behaviour, visit.shop.categoryUrl(behaviour), PAGES.category),
  info: (visit, { behaviour }) =>
    openPage(visit, behaviour, visit.shop.origin + behaviour.of(INFO_PATHS), PAGES.info),
  product: (visit, { behaviour }) => {
    visit.product = visit.shop.popularProduct(behaviour);
    return openPage(visit, behaviour, visit.product.url, PAGES.product);
  },
  search,
  viewItem: (visit, { behaviour }) => {
    const item = variantOf(visit.product!, behaviour);
    visit.item = item;
    afterItem(visit, behaviour);
    return happen(visit, "view_item", NOTHING, [item]);
  },
  addToCart: (visit, { behaviour }) => {
    const item = behaviour.chance(0.12)
      ? { ...visit.item!, quantityMicros: BigInt(2 + behaviour.below(3)) * 1_000_000n }
      : visit.item!;
    visit.cart = [...visit.cart, item];
    afterPutInCart(visit, behaviour);
    return happen(visit, "add_to_cart", NOTHING, [item]);
  },
  cart: (visit, { behaviour }) => {
    const happening = show(visit, `${visit.shop.origin}/cart`, PAGES.cart);
    afterCart(visit, behaviour);
    return happening;
  },
  checkout: (visit, { behaviour }) => {
    const happening = show(visit, `${visit.shop.origin}/checkout`, PAGES.checkout);
    then(visit, "beginCheckout", 50 + behaviour.below(200));
    return happening;
  },
  beginCheckout: (visit, { behaviour }) => {
    afterCheckout(visit, behaviour);
    return happen(visit, "begin_checkout", NOTHING, visit.cart);
  },
  thanks: (visit, { behaviour }) => {
    const happening = show(visit, `${visit.shop.origin}/checkout/thank-you`, PAGES.thanks);
    then(visit, "purchase", 50 + behaviour.below(200));
    return happening;
  },
  purchase: (visit, { behaviour, ids }) => {
    const order = placeOrder(visit.shop, visit.cart, behaviour, ids);
    then(visit, "end", 0);
    return { ...happen(visit, "purchase", NOTHING, visit.cart), order };
  },
};

const INFO_PATHS: readonly string[] = ["/about", "/shipping", "/returns", "/contact", "/blog/how-we-make-it"];

type Properties = Event["properties"];

/** Properties are shared by all events of a kind. */
const NOTHING: Properties = Object.freeze({});
const NO_ITEMS: Item[] = [];
const PAGES = Object.freeze({
  home: valuesOf({ page_type: "home" }),
  category: valuesOf({ page_type: "category" }),
  product: valuesOf({ page_type: "product" }),
  info: valuesOf({ page_type: "info" }),
  cart: valuesOf({ page_type: "cart" }),
  checkout: valuesOf({ page_type: "checkout" }),
  thanks: valuesOf({ page_type: "confirmation" }),
});

/**
 * Lets the visit do its next thing, and decides what it does after that (`next`, `waitMs`).
 * @returns what happened. Its parts are shared with other happenings: read-only.
 */
export function act(visit: Visit, timeMs: number, chance: Chance): Happening {
  visit.timeMs = Math.floor(timeMs);
  if (visit.next === "end") throw new Error(`the visit of session ${visit.sessionId} is over`);
  return ACTIONS[visit.next](visit, chance);
}

function then(visit: Visit, next: Step, waitMs: number): void {
  visit.next = next;
  visit.waitMs = waitMs;
}

function openPage(visit: Visit, behaviour: Random, url: string, properties: Properties): Happening {
  const happening = show(visit, url, properties);
  afterPage(visit, behaviour);
  return happening;
}

function search(visit: Visit, { behaviour }: Chance): Happening {
  const term = behaviour.of(SEARCH_TERMS);
  goTo(visit, `${visit.shop.origin}/search?q=${encodeURIComponent(term)}`);
  afterPage(visit, behaviour);
  return happen(
    visit,
    "search",
    valuesOf({ search_term: term, page_number: visit.pages, is_typed: true }),
    NO_ITEMS,
  );
}

function show(visit: Visit, url: string, properties: Properties): Happening {
  goTo(visit, url);
  return happen(visit, "page_view", properties, NO_ITEMS);
}

function goTo(visit: Visit, url: string): void {
  visit.referrer = visit.url;
  visit.url = url + visit.query;
  visit.query = "";
  visit.pages++;
}

function happen(visit: Visit, name: string, properties: Properties, items: Item[]): Happening {
  const { timeMs } = visit;
  return {
    visit,
    timeMs,
    name,
    url: visit.url,
    referrer: visit.referrer,
    properties,
    items,
    order: undefined,
  };
}
