import type { Event, Item, Screen } from "../gen/footfall/event/v1/event_pb.js";
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
  next: Step;
  /** Time from the event before to the next one, whole milliseconds. */
  waitMs: number;
}

/** Where chance comes from: `behaviour` decides what happens, `ids` makes names that must be unique. */
export interface Chance {
  readonly behaviour: Random;
  readonly ids: Random;
}

type Action = (visit: Visit, chance: Chance) => Event;

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
    return eventOf(visit, "view_item", NOTHING, [item]);
  },
  addToCart: (visit, { behaviour }) => {
    const item = behaviour.chance(0.12) ? { ...visit.item!, quantity: 2 + behaviour.below(3) } : visit.item!;
    visit.cart = [...visit.cart, item];
    afterPutInCart(visit, behaviour);
    return eventOf(visit, "add_to_cart", NOTHING, [item]);
  },
  cart: (visit, { behaviour }) => {
    const event = show(visit, `${visit.shop.origin}/cart`, PAGES.cart);
    afterCart(visit, behaviour);
    return event;
  },
  checkout: (visit, { behaviour }) => {
    const event = show(visit, `${visit.shop.origin}/checkout`, PAGES.checkout);
    then(visit, "beginCheckout", 50 + behaviour.below(200));
    return event;
  },
  beginCheckout: (visit, { behaviour }) => {
    afterCheckout(visit, behaviour);
    return eventOf(visit, "begin_checkout", NOTHING, visit.cart);
  },
  thanks: (visit, { behaviour }) => {
    const event = show(visit, `${visit.shop.origin}/checkout/thank-you`, PAGES.thanks);
    then(visit, "purchase", 50 + behaviour.below(200));
    return event;
  },
  purchase: (visit, { behaviour, ids }) => {
    const event = eventOf(visit, "purchase", NOTHING, visit.cart);
    event.order = placeOrder(visit.shop, visit.cart, behaviour, ids);
    then(visit, "end", 0);
    return event;
  },
};

const INFO_PATHS: readonly string[] = ["/about", "/shipping", "/returns", "/contact", "/blog/how-we-make-it"];

type Properties = Event["properties"];

/** Properties are shared by all events of a kind. */
const NOTHING: Properties = Object.freeze({});
const PAGES = Object.freeze({
  home: Object.freeze({ page_type: "home" }),
  category: Object.freeze({ page_type: "category" }),
  product: Object.freeze({ page_type: "product" }),
  info: Object.freeze({ page_type: "info" }),
  cart: Object.freeze({ page_type: "cart" }),
  checkout: Object.freeze({ page_type: "checkout" }),
  thanks: Object.freeze({ page_type: "confirmation" }),
});

/**
 * Lets the visit do its next thing, and decides what it does after that (`next`, `waitMs`).
 * @returns the event, without its id and time. Its parts are shared with other events: read-only.
 */
export function act(visit: Visit, chance: Chance): Event {
  if (visit.next === "end") throw new Error(`the visit of session ${visit.sessionId} is over`);
  return ACTIONS[visit.next](visit, chance);
}

function then(visit: Visit, next: Step, waitMs: number): void {
  visit.next = next;
  visit.waitMs = waitMs;
}

function openPage(visit: Visit, behaviour: Random, url: string, properties: Properties): Event {
  const event = show(visit, url, properties);
  afterPage(visit, behaviour);
  return event;
}

function search(visit: Visit, { behaviour }: Chance): Event {
  const term = behaviour.of(SEARCH_TERMS);
  goTo(visit, `${visit.shop.origin}/search?q=${encodeURIComponent(term)}`);
  afterPage(visit, behaviour);
  return eventOf(visit, "search", { search_term: term }, []);
}

function show(visit: Visit, url: string, properties: Properties): Event {
  goTo(visit, url);
  return eventOf(visit, "page_view", properties, []);
}

function goTo(visit: Visit, url: string): void {
  visit.referrer = visit.url;
  visit.url = url + visit.query;
  visit.query = "";
  visit.pages++;
}

/** A message written as a literal: protobuf-es' create() would take a third of the generator's time. */
function eventOf(visit: Visit, name: string, properties: Properties, items: Item[]): Event {
  const event: Event = {
    $typeName: "footfall.event.v1.Event",
    eventId: "",
    name,
    clientTime: { $typeName: "google.protobuf.Timestamp", seconds: 0n, nanos: 0 },
    visitorId: visit.visitorId,
    sessionId: visit.sessionId,
    url: visit.url,
    referrer: visit.referrer,
    userAgent: visit.userAgent,
    ip: visit.ip,
    language: visit.language,
    properties,
    items,
  };
  if (visit.screen !== undefined) event.screen = visit.screen;
  return event;
}
