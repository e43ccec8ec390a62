import { MAX_AMOUNT_MICROS } from "../../event/batch-limits.ts";
import { RejectReason as Reason } from "../../gen/footfall/collect/v1/collect_pb.js";
import type { Event, Item } from "../../gen/footfall/event/v1/event_pb.js";
import { isOddText } from "./check-event.ts";

/** ISO 4217 codes of money in use or lately withdrawn, as the Unicode data in Node lists them: no metals, funds. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

const AMOUNTS = ["revenueMicros", "taxMicros", "shippingMicros", "discountMicros"] as const;
const ITEM_TEXTS = ["id", "name", "brand", "category", "variant"] as const;

/** Why an event's order cannot be counted, if it has one. */
export function refuseOrder({ order }: Event): Reason | undefined {
  if (order === undefined) return undefined;
  if (order.id === "") return Reason.ORDER_ID_MISSING;
  if (AMOUNTS.some((key) => !isAmount(order[key]))) return Reason.INVALID_AMOUNT;
  const { currency } = order;
  return currency === "" || CURRENCIES.has(currency) ? undefined : Reason.UNKNOWN_CURRENCY;
}

/** Whether something in an event's order or items must be changed. */
export function isOddCommerce({ order, items }: Event): boolean {
  if (order !== undefined && (isOddText(order.id, 256) || isOddText(order.coupon, 1_024))) return true;
  return items.length > 200 || items.some(isOddItem);
}

function isOddItem(item: Item): boolean {
  return (
    item.id === "" ||
    item.quantity > 1_000_000 ||
    !isAmount(item.priceMicros) ||
    ITEM_TEXTS.some((key) => isOddText(item[key], 1_024))
  );
}

function isAmount(micros: bigint): boolean {
  return micros >= 0n && micros <= MAX_AMOUNT_MICROS;
}
