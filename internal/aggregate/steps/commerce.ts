import type { BatchView } from "../../event/batch-view.ts";
import { OrderKind } from "../../store/event-columns.ts";
import { utcDay } from "./hash-cache.ts";
import type { Derived, Step, StepContext } from "./step.ts";

/**
 * GA4's names of the events before an order: one that carries an order only mentions it, such as a checkout whose
 * number is known already. https://developers.google.com/analytics/devguides/collection/ga4/ecommerce
 */
const BEFORE_ORDER: ReadonlySet<string> = new Set([
  "view_item_list",
  "select_item",
  "view_item",
  "view_promotion",
  "select_promotion",
  "add_to_wishlist",
  "add_to_cart",
  "remove_from_cart",
  "view_cart",
  "begin_checkout",
  "add_shipping_info",
  "add_payment_info",
]);

/** What the order of an event with a name is. Whether it is a repeat is found out where orders are stored. */
export function orderKindOf(name: string): number {
  if (name === "refund") return OrderKind.REFUND;
  return BEFORE_ORDER.has(name) ? OrderKind.MENTIONED : OrderKind.ORDER;
}

/**
 * Orders and refunds, and what they add to revenue in the merchant's currency: a refund takes away. An amount in
 * another currency is converted by the rates of the event's UTC day; without them it is left open. Comes after
 * `time`.
 */
export const commerce: Step = {
  name: "commerce",
  version: 1,
  run(batch, derived, context) {
    const rows = batch.order("row");
    if (rows === undefined) return;
    const names = batch.text("name")!;
    const amounts = batch.orderMicros("revenueMicros")!;
    for (let at = 0; at < rows.length; at++) {
      const kind = orderKindOf(batch.dictionary.text(names[rows[at]!]!)!);
      derived.orderKinds[at] = kind;
      if (kind === OrderKind.MENTIONED) derived.convertedRevenue[at] = Number.NaN;
      else {
        const sign = kind === OrderKind.REFUND ? -1 : 1;
        derived.convertedRevenue[at] = convert(sign * amounts.get(at), batch, at, derived, context);
      }
    }
  },
};

/** Micros of the merchant's currency; NaN where they are not known, or more than a number counts exactly. */
function convert(
  micros: number,
  batch: BatchView,
  at: number,
  { time }: Derived,
  { currencies, rate }: StepContext,
): number {
  const row = batch.order("row")![at]!;
  const own = currencies.get(batch.merchantIds[row]!);
  const given = batch.dictionary.text(batch.order("currency")?.[at] ?? 0);
  // -0 is no amount.
  if (given === undefined || given === own) return micros + 0;
  if (own === undefined) return Number.NaN;
  const day = utcDay(time.get(row));
  const converted = Math.round((micros * (rate(own, day) ?? Number.NaN)) / (rate(given, day) ?? Number.NaN));
  return Number.isSafeInteger(converted) ? converted + 0 : Number.NaN;
}

/** A currency and a UTC day (days since 1970-01-01) whose rate the step needs. */
export interface RateNeed {
  readonly currency: string;
  readonly day: number;
}
