import type { BatchBuilder } from "../event/batch-builder.ts";
import { MAX_AMOUNT_MICROS, MAX_QUANTITY } from "../event/batch-limits.ts";
import { RejectReason as Reason } from "../gen/footfall/collect/v1/collect_pb.js";
import { type EventFields, signed } from "./event-fields.ts";
import { at, ORDER } from "./event-shape.ts";
import { type Refusal, refuse, shown } from "./refusal.ts";
import { isGood, Mark, refuseText, takeText } from "./take-text.ts";

/** ISO 4217 codes of money in use or lately withdrawn, as the Unicode data in Node lists them: no metals, funds. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

const MAX_ITEMS = 200;

/** The order and the item that are being taken: columns of BatchBuilder, written when all of one is good. */
const order = {
  row: 0,
  id: 0,
  revenueMicros: 0,
  taxMicros: 0,
  shippingMicros: 0,
  discountMicros: 0,
  currency: 0,
  coupon: 0,
};
const item = { row: 0, id: 0, name: 0, brand: 0, category: 0, variant: 0, priceMicros: 0, quantity: 0 };

/** Each field of an order, its name in messages, and where it stands. */
const AMOUNTS = [
  { column: "revenueMicros", field: "order.revenue_micros", at: ORDER.base + 2 * 2 },
  { column: "taxMicros", field: "order.tax_micros", at: ORDER.base + 2 * 3 },
  { column: "shippingMicros", field: "order.shipping_micros", at: ORDER.base + 2 * 4 },
  { column: "discountMicros", field: "order.discount_micros", at: ORDER.base + 2 * 5 },
] as const;
const ORDER_TEXTS = [
  { column: "id", field: "order.id", at: ORDER.base + 2 * 1, limit: 64 },
  // Its list is the limit.
  { column: "currency", field: "order.currency", at: ORDER.base + 2 * 6, limit: Number.POSITIVE_INFINITY },
  { column: "coupon", field: "order.coupon", at: ORDER.base + 2 * 7, limit: 64 },
] as const;

/** Each text of an item, by its field number less one. */
const ITEM_TEXTS = ["id", "name", "brand", "category", "variant"] as const;
const ITEM_TEXT_LIMIT = 256;
const PRICE = 2 * 6;
const QUANTITY = 2 * 7;

/** Checks an event's order, if it has one, and writes it to the batch's open row. */
export function takeOrder({ bytes, values }: EventFields, batch: BatchBuilder): Refusal | undefined {
  if (values[at.order] === 0) return undefined;
  order.row = batch.rows;
  for (const { column, field, at } of AMOUNTS) {
    order[column] = signed(values, at);
    if (!isAmount(order[column])) return refuseAmount(field, values, at);
  }
  for (const { column, field, at, limit } of ORDER_TEXTS) {
    const [start, end] = [values[at]!, values[at + 1]!];
    const index = takeText(batch, bytes, start, end, limit);
    if (index < 0) return refuseText(index, field, bytes, start, end, limit);
    order[column] = index;
  }
  if (order.id === 0) return refuse(Reason.ORDER_ID_MISSING, "order.id: is missing");
  if (!isGood(batch, order.currency, Mark.CURRENCY, (text) => CURRENCIES.has(text))) {
    const text = shown(batch.dictionary.text(order.currency));
    return refuse(Reason.UNKNOWN_CURRENCY, `order.currency: not an ISO 4217 code: ${text}`);
  }
  batch.orders.append(order);
  return undefined;
}

/** Checks an event's items and writes them to the batch's open row. */
export function takeItems({ bytes, items }: EventFields, batch: BatchBuilder): Refusal | undefined {
  if (items.count > MAX_ITEMS) {
    return refuse(Reason.INVALID_ITEM, `items: ${items.count}, at most ${MAX_ITEMS}`);
  }
  for (let index = 0; index < items.count; index++) {
    const refusal = takeItem(bytes, items.values, items.offset(index), index, batch);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function takeItem(
  bytes: Uint8Array,
  values: Int32Array,
  offset: number,
  index: number,
  batch: BatchBuilder,
): Refusal | undefined {
  const quantity = values[offset + QUANTITY]! >>> 0;
  if (quantity > MAX_QUANTITY) {
    return refuse(Reason.INVALID_ITEM, `items[${index}].quantity: ${quantity}, at most ${MAX_QUANTITY}`);
  }
  const price = signed(values, offset + PRICE);
  if (!isAmount(price)) return refuseAmount(`items[${index}].price_micros`, values, offset + PRICE);
  let at = offset;
  for (const name of ITEM_TEXTS) {
    at += 2;
    const [start, end] = [values[at]!, values[at + 1]!];
    const text = takeText(batch, bytes, start, end, ITEM_TEXT_LIMIT);
    if (text < 0) return refuseText(text, `items[${index}].${name}`, bytes, start, end, ITEM_TEXT_LIMIT);
    item[name] = text;
  }
  if (item.id === 0) return refuse(Reason.INVALID_ITEM, `items[${index}].id: is missing`);
  item.row = batch.rows;
  item.priceMicros = price;
  item.quantity = quantity || 1;
  batch.items.append(item);
  return undefined;
}

function isAmount(micros: number): boolean {
  return micros >= 0 && micros <= MAX_AMOUNT_MICROS;
}

function refuseAmount(field: string, values: Int32Array, at: number): Refusal {
  const micros = (BigInt(values[at + 1]!) << 32n) | BigInt(values[at]! >>> 0);
  return refuse(Reason.INVALID_AMOUNT, `${field}: ${micros} is outside of 0 to 10^15 micros`);
}
