import { type Random, Weighted } from "./random.ts";
import type { Visit } from "./visit.ts";

/** What a visit does next. */
export type Step =
  | "home"
  | "category"
  | "product"
  | "search"
  | "info"
  | "viewItem"
  | "addToCart"
  | "cart"
  | "checkout"
  | "beginCheckout"
  | "thanks"
  | "purchase"
  | "end";

/** Events of an average visit, crawlers included; measured, and held to 3 % by a test. */
export const EVENTS_PER_VISIT = 5.57;

/** Nobody looks at more pages than this; it bounds a visit's length. */
const MAX_PAGES = 60;
const MAX_THINKING_MS = 20 * 60_000;

const landings = new Weighted<Step>([
  ["product", 42],
  ["home", 32],
  ["category", 20],
  ["info", 6],
]);

const followUps = new Weighted<Step>([
  ["product", 52],
  ["category", 27],
  ["search", 8],
  ["home", 7],
  ["info", 6],
]);

/** The first page of a visit. */
export function landing(behaviour: Random): Step {
  return landings.pick(behaviour);
}

/** After a page that is not part of the checkout. */
export function afterPage(visit: Visit, behaviour: Random): void {
  if (visit.crawler) crawlOn(visit, behaviour);
  else if (visit.next === "product") proceed(visit, "viewItem", 60 + behaviour.below(300));
  else browse(visit, behaviour, visit.pages === 1 ? 0.44 : 0.2);
}

/** After the details of a product. */
export function afterItem(visit: Visit, behaviour: Random): void {
  if (behaviour.chance(0.06 * visit.intent)) proceed(visit, "addToCart", thinking(behaviour, 20_000));
  else browse(visit, behaviour, visit.pages === 1 ? 0.44 : 0.22);
}

/** After something was put in the cart. */
export function afterPutInCart(visit: Visit, behaviour: Random): void {
  if (behaviour.chance(0.45)) proceed(visit, "cart", thinking(behaviour, 5_000));
  else browse(visit, behaviour, 0.15);
}

/** On the page of the cart. */
export function afterCart(visit: Visit, behaviour: Random): void {
  if (behaviour.chance(0.5)) proceed(visit, "checkout", thinking(behaviour, 15_000));
  else browse(visit, behaviour, 0.5);
}

/** On the page of the checkout. */
export function afterCheckout(visit: Visit, behaviour: Random): void {
  if (behaviour.chance(0.5)) proceed(visit, "thanks", 20_000 + thinking(behaviour, 60_000));
  else browse(visit, behaviour, 0.7);
}

function browse(visit: Visit, behaviour: Random, leaving: number): void {
  if (visit.pages >= MAX_PAGES || behaviour.chance(leaving)) proceed(visit, "end", 0);
  else if (visit.cart.length > 0 && behaviour.chance(0.3)) proceed(visit, "cart", thinking(behaviour, 8_000));
  else proceed(visit, followUps.pick(behaviour), thinking(behaviour, 25_000));
}

function crawlOn(visit: Visit, behaviour: Random): void {
  if (visit.pages >= MAX_PAGES || behaviour.chance(0.12)) proceed(visit, "end", 0);
  else proceed(visit, landings.pick(behaviour), 1_000 + behaviour.below(3_000));
}

function proceed(visit: Visit, next: Step, waitMs: number): void {
  visit.next = next;
  visit.waitMs = waitMs;
}

/** Time that a person takes, whole milliseconds: at least one second, and rarely long. */
function thinking(behaviour: Random, meanMs: number): number {
  return Math.round(Math.min(1_000 + behaviour.exponential(meanMs), MAX_THINKING_MS));
}
