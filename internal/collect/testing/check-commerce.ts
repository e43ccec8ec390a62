import { create } from "@bufbuild/protobuf";
import { currencyProblem } from "../../currency/currencies.ts";
import { MAX_AMOUNT_MICROS } from "../../event-schema/fields.ts";
import { RejectReason as Reason } from "../../gen/footfall/collect/v1/collect_pb.js";
import { type Event, type Item, OrderSchema } from "../../gen/footfall/event/v1/event_pb.js";
import { isOddText } from "./check-event.ts";

const PARTS = ["taxMicros", "shippingMicros", "discountMicros"] as const;
const ITEM_TEXTS = ["id", "name", "brand", "category", "variant", "listId", "promotionId"] as const;
const ORDER_TEXTS = ["customerId", "market", "paymentMethod"] as const;

/** The event with what its refund names in place of what its order names, and its currency in upper case. */
export function refundFirst(event: Event): Event {
  const { refund } = event;
  if (event.order === undefined && refund === undefined) return event;
  const order = event.order ?? create(OrderSchema);
  const currency = (refund?.currency || order.currency).toUpperCase();
  const merged = {
    ...order,
    id: refund?.orderId || order.id,
    revenueMicros: refund?.amountMicros || order.revenueMicros,
    currency,
  };
  const items = refund !== undefined && refund.items.length > 0 ? refund.items : event.items;
  return { ...event, order: merged, items, ...(refund && { refund: { ...refund, currency } }) };
}

/**
 * Why an event's order cannot be counted, if it has one; refundFirst must have been at it. The random currencies are
 * current, or long gone. @param time ms since 1970-01-01 UTC.
 */
export function refuseOrder({ order }: Event, time: number): Reason | undefined {
  if (order === undefined) return undefined;
  if (order.id === "") return Reason.ORDER_ID_MISSING;
  if (!isAmount(order.revenueMicros)) return Reason.INVALID_AMOUNT;
  const { currency } = order;
  return currency === "" || currencyProblem(currency, time) === undefined
    ? undefined
    : Reason.UNKNOWN_CURRENCY;
}

/** Whether something in an event's order or items must be changed. */
export function isOddCommerce({ order, items, refund }: Event): boolean {
  if (refund !== undefined && isOddText(refund.id, 256)) return true;
  if (order !== undefined && (isOddText(order.id, 256) || isOddText(order.coupon, 1_024))) return true;
  if (order !== undefined && ORDER_TEXTS.some((key) => isOddText(order[key], 256))) return true;
  if (order !== undefined && isOddCost(order.costMicros)) return true;
  if (order !== undefined && PARTS.some((key) => !isAmount(order[key]))) return true;
  return items.length > 200 || items.some(isOddItem);
}

function isOddItem(item: Item): boolean {
  return (
    item.id === "" ||
    item.listPosition > 1_000_000 ||
    item.discountMicros < 0n ||
    item.discountMicros > item.priceMicros ||
    isOddCost(item.costMicros) ||
    item.quantityMicros < 0n ||
    item.quantityMicros > 10n ** 12n ||
    !isAmount(item.priceMicros) ||
    item.priceMicros * item.quantityMicros > 10n ** 24n ||
    ITEM_TEXTS.some((key) => isOddText(item[key], 1_024))
  );
}

/** One that is missing is as good as known. */
function isOddCost(micros: bigint | undefined): boolean {
  return micros !== undefined && micros !== -1n && !isAmount(micros);
}

function isAmount(micros: bigint): boolean {
  return micros >= 0n && micros <= MAX_AMOUNT_MICROS;
}
