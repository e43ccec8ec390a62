import type { BatchBuilder } from "../event/batch-builder.ts";
import { MAX_AMOUNT_MICROS, MAX_QUANTITY } from "../event/batch-limits.ts";
import { RejectReason as Reason } from "../gen/footfall/collect/v1/collect_pb.js";
import { AdjustmentKind, type Adjustments } from "./adjustments.ts";
import { type EventFields, MAX_ITEMS, signed } from "./event-fields.ts";
import { at, ORDER } from "./event-shape.ts";
import { type Refusal, refuse, shown } from "./refusal.ts";
import type { EventContext } from "./take-event.ts";
import { CHARACTER_BYTES, isGood, Mark, mendId, mendText, takeText } from "./take-text.ts";

/** ISO 4217 codes of money in use or lately withdrawn, as the Unicode data in Node lists them: no metals, funds. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

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
  { column: "id", field: "order.id", at: ORDER.base + 2 * 1, limit: 256, mend: mendId },
  { column: "currency", field: "order.currency", at: ORDER.base + 2 * 6, limit: 256, mend: mendText },
  { column: "coupon", field: "order.coupon", at: ORDER.base + 2 * 7, limit: 1_024, mend: mendText },
] as const;

/** Each text of an item, by its field number less one. */
const ITEM_TEXTS = ["id", "name", "brand", "category", "variant"] as const;
const ITEM_TEXT_LIMIT = 1_024;
/** Most text of an event's items, bytes: an event is to take no more than a part of a batch. */
const ITEMS_TEXT_BYTES = 1 << 20;
const PRICE = 2 * 6;
const QUANTITY = 2 * 7;

/** Checks an event's order, if it has one, and writes it to the batch's open row. */
export function takeOrder(
  { bytes, values }: EventFields,
  batch: BatchBuilder,
  { adjustments }: EventContext,
): Refusal | undefined {
  if (values[at.order] === 0) return undefined;
  order.row = batch.rows;
  for (const { column, field, at } of AMOUNTS) {
    order[column] = signed(values, at);
    if (!isAmount(order[column])) {
      return refuse(Reason.INVALID_AMOUNT, `${field}: ${amountProblem(values, at)}`);
    }
  }
  for (const { column, field, at, limit, mend } of ORDER_TEXTS) {
    const [start, end] = [values[at]!, values[at + 1]!];
    const index = takeText(batch, bytes, start, end, limit);
    order[column] = index >= 0 ? index : mend(batch, adjustments, field, bytes, start, end, limit);
  }
  if (order.id === 0) return refuse(Reason.ORDER_ID_MISSING, "order.id: is missing");
  if (!isGood(batch, order.currency, Mark.CURRENCY, (text) => CURRENCIES.has(text))) {
    const text = shown(batch.dictionary.text(order.currency));
    return refuse(Reason.UNKNOWN_CURRENCY, `order.currency: not an ISO 4217 code: ${text}`);
  }
  batch.orders.append(order);
  return undefined;
}

/** Writes an event's items to the batch's open row, as many as have room. */
export function takeItems(event: EventFields, batch: BatchBuilder, { adjustments }: EventContext): undefined {
  const { items } = event;
  let taken = 0;
  for (let room = ITEMS_TEXT_BYTES; taken < items.count && room > 0; taken++) {
    room -= takeItem(event, taken, batch, adjustments);
  }
  const given = items.count + items.beyond;
  if (taken === given) return;
  const most = `at most ${MAX_ITEMS} and ${ITEMS_TEXT_BYTES} bytes of text`;
  adjustments.add(AdjustmentKind.DROPPED, "items", `${given - taken} of ${given} items, ${most}`);
}

/** Writes one item. @returns bytes of its text. */
function takeItem(
  { bytes, items }: EventFields,
  index: number,
  batch: BatchBuilder,
  adjustments: Adjustments,
): number {
  const { values } = items;
  const offset = items.offset(index);
  let size = 0;
  let at = offset;
  for (const name of ITEM_TEXTS) {
    at += 2;
    const [start, end] = [values[at]!, values[at + 1]!];
    const text = takeText(batch, bytes, start, end, ITEM_TEXT_LIMIT);
    const mend = name === "id" ? mendId : mendText;
    const field = `items[${index}].${name}`;
    item[name] = text >= 0 ? text : mend(batch, adjustments, field, bytes, start, end, ITEM_TEXT_LIMIT);
    size += Math.min(end - start, CHARACTER_BYTES * ITEM_TEXT_LIMIT);
  }
  if (!hasId(index, adjustments)) return size;
  item.row = batch.rows;
  item.priceMicros = priceOf(values, offset, index, adjustments);
  item.quantity = quantityOf(values, offset, index, adjustments);
  batch.items.append(item);
  return size;
}

/** Whether the item can be told from others, by its name if need be. */
function hasId(index: number, adjustments: Adjustments): boolean {
  if (item.id !== 0) return true;
  const isNamed = item.name !== 0;
  const kind = isNamed ? AdjustmentKind.REPLACED : AdjustmentKind.DROPPED;
  const message = isNamed
    ? "is missing, the name stands in"
    : "is missing, and so is the name: the item is left out";
  adjustments.add(kind, `items[${index}].id`, message);
  item.id = item.name;
  return isNamed;
}

function priceOf(values: Int32Array, offset: number, index: number, adjustments: Adjustments): number {
  const price = signed(values, offset + PRICE);
  if (isAmount(price)) return price;
  const problem = amountProblem(values, offset + PRICE);
  adjustments.add(AdjustmentKind.DROPPED, `items[${index}].price_micros`, problem);
  return 0;
}

function quantityOf(values: Int32Array, offset: number, index: number, adjustments: Adjustments): number {
  const quantity = values[offset + QUANTITY]! >>> 0;
  if (quantity <= MAX_QUANTITY) return quantity || 1;
  const problem = `${quantity}, at most ${MAX_QUANTITY}: counts as 1`;
  adjustments.add(AdjustmentKind.DROPPED, `items[${index}].quantity`, problem);
  return 1;
}

function isAmount(micros: number): boolean {
  return micros >= 0 && micros <= MAX_AMOUNT_MICROS;
}

function amountProblem(values: Int32Array, at: number): string {
  const micros = (BigInt(values[at + 1]!) << 32n) | BigInt(values[at]! >>> 0);
  return `${micros} is outside of 0 to 10^15 micros`;
}
