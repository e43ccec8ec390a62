import { MAX_AMOUNT_MICROS } from "../../event/batch-limits.ts";
import { RejectReason as Reason } from "../../gen/footfall/collect/v1/collect_pb.js";
import type { Event, Order } from "../../gen/footfall/event/v1/event_pb.js";
import { type Refusal, refuse, shown } from "../refusal.ts";
import { textProblem } from "./check-event.ts";

/** ISO 4217 codes of money in use or lately withdrawn, as the Unicode data in Node lists them: no metals, funds. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

const MAX_ITEMS = 200;
const MAX_QUANTITY = 1_000_000;
/** Each amount of an order, and its name in messages. */
const AMOUNTS = [
  ["revenueMicros", "order.revenue_micros"],
  ["taxMicros", "order.tax_micros"],
  ["shippingMicros", "order.shipping_micros"],
  ["discountMicros", "order.discount_micros"],
] as const;
const ITEM_TEXTS = ["id", "name", "brand", "category", "variant"] as const;

/** Checks an event's order, if it has one. */
export function checkOrder({ order }: Event): Refusal | undefined {
  if (order === undefined) return undefined;
  if (order.id === "") return refuse(Reason.ORDER_ID_MISSING, "order.id: is missing");
  return checkAmounts(order) ?? checkCurrency(order) ?? checkOrderTexts(order);
}

function checkAmounts(order: Order): Refusal | undefined {
  for (const [key, field] of AMOUNTS) {
    const found = amountProblem(field, order[key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function amountProblem(field: string, micros: bigint): Refusal | undefined {
  if (micros >= 0n && micros <= MAX_AMOUNT_MICROS) return undefined;
  return refuse(Reason.INVALID_AMOUNT, `${field}: ${micros} is outside of 0 to 10^15 micros`);
}

function checkCurrency({ currency }: Order): Refusal | undefined {
  if (currency === "" || CURRENCIES.has(currency)) return undefined;
  return refuse(Reason.UNKNOWN_CURRENCY, `order.currency: not an ISO 4217 code: ${shown(currency)}`);
}

function checkOrderTexts({ id, coupon }: Order): Refusal | undefined {
  return textProblem("order.id", id, 64) ?? textProblem("order.coupon", coupon, 64);
}

/** Checks an event's items. */
export function checkItems({ items }: Event): Refusal | undefined {
  if (items.length > MAX_ITEMS)
    return refuse(Reason.INVALID_ITEM, `items: ${items.length}, at most ${MAX_ITEMS}`);
  for (const [index, item] of items.entries()) {
    const field = `items[${index}]`;
    if (item.id === "") return refuse(Reason.INVALID_ITEM, `${field}.id: is missing`);
    if (item.quantity > MAX_QUANTITY) {
      return refuse(Reason.INVALID_ITEM, `${field}.quantity: ${item.quantity}, at most ${MAX_QUANTITY}`);
    }
    const amount = amountProblem(`${field}.price_micros`, item.priceMicros);
    if (amount !== undefined) return amount;
    for (const name of ITEM_TEXTS) {
      const found = textProblem(`${field}.${name}`, item[name], 256);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
