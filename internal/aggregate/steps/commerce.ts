import type { BatchView } from "../../event/batch-view.ts";
import { convertMicros } from "../../store/currency-rates.ts";
import { OrderKind, UNKNOWN_MICROS } from "../../store/event-columns.ts";
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
  version: 2,
  run(batch, derived, context) {
    const rows = batch.order("row");
    if (rows === undefined) return;
    const names = batch.text("name")!;
    const amounts = batch.orderMicros("revenueMicros")!;
    for (let at = 0; at < rows.length; at++) {
      const isRefund = batch.order("isRefund")?.[at] === 1;
      const name = batch.dictionary.text(names[rows[at]!]!)!;
      const kind = isRefund ? OrderKind.REFUND : orderKindOf(name);
      derived.orderKinds[at] = kind;
      if (kind === OrderKind.MENTIONED) derived.convertedRevenue[at] = UNKNOWN_MICROS;
      else {
        const amount = amounts.get(at);
        const signed = kind === OrderKind.REFUND ? -amount : amount;
        derived.convertedRevenue[at] = convert(signed, batch, at, derived, context);
      }
    }
  },
};

/** Micros of the merchant's currency; UNKNOWN_MICROS where they are not known. */
function convert(
  micros: bigint,
  batch: BatchView,
  at: number,
  { time }: Derived,
  { currencies, rate }: StepContext,
): bigint {
  const row = batch.order("row")![at]!;
  const own = currencies.get(batch.merchantIds[row]!);
  const given = batch.dictionary.text(batch.order("currency")?.[at] ?? 0);
  if (given === undefined || given === own) return micros;
  if (own === undefined) return UNKNOWN_MICROS;
  const day = utcDay(time.get(row));
  return convertMicros(micros, rate(given, day), rate(own, day)) ?? UNKNOWN_MICROS;
}

/** A currency and a UTC day (days since 1970-01-01) whose rate the step needs. */
export interface RateNeed {
  readonly currency: string;
  readonly day: number;
}
