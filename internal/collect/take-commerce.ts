import { currencyProblem, isCurrent } from "../currency/currencies.ts";
import type { BatchBuilder } from "../event/batch-builder.ts";
import { ONE_MICROS } from "../event/batch-limits.ts";
import { bigintOf } from "../event/columns.ts";
import { emptyEntry } from "../event/side-columns.ts";
import {
  ITEM_FIELDS,
  MAX_AMOUNT_MICROS,
  MAX_POSITION,
  MAX_QUANTITY_MICROS,
  namesOf,
  ORDER_FIELDS,
  underscored,
} from "../event-schema/fields.ts";
import { RejectReason as Reason } from "../gen/footfall/collect/v1/collect_pb.js";
import { AdjustmentKind, type Adjustments } from "./adjustments.ts";
import type { Entries } from "./entries.ts";
import { type EventFields, MAX_ITEMS } from "./event-fields.ts";
import { at, ITEM, ORDER, REFUND } from "./event-shape.ts";
import { type Refusal, refuse, shown } from "./refusal.ts";
import { isDenied } from "./take-engagement.ts";
import type { EventContext } from "./take-event.ts";
import { CHARACTER_BYTES, isGood, Mark, plainTexts, takeText } from "./take-text.ts";
import { takePersonId } from "./take-visitor.ts";

/** The order and the item that are being taken: columns of BatchBuilder, written when all of one is good. */
const order = emptyEntry(ORDER_FIELDS);
const item = emptyEntry(ITEM_FIELDS);

/** A field of an order or a refund, its name in messages, and where it stands. */
interface Field {
  readonly field: string;
  readonly at: number;
}

/** Where a refund has what goes before the order's. */
const REFUND_FIELDS: Readonly<Record<string, Field & { readonly isText: boolean }>> = {
  id: { field: "refund.order_id", at: REFUND.at.orderId, isText: true },
  revenueMicros: { field: "refund.amount_micros", at: REFUND.at.amountMicros, isText: false },
  currency: { field: "refund.currency", at: REFUND.at.currency, isText: true },
};

/** What an order has under other names, or elsewhere. */
const OF_REFUND: Readonly<Record<string, Field>> = { refundId: { field: "refund.id", at: REFUND.at.id } };

/** The amounts of an order: it counts by revenue, and without any of the others. */
const AMOUNTS = namesOf(ORDER_FIELDS, "micros").map((column) => ({
  column,
  field: `order.${underscored(column)}`,
  at: ORDER.at[column],
}));
const ORDER_TEXTS = plainTexts(ORDER_FIELDS).map(({ field, ...text }) => ({
  ...text,
  ...(OF_REFUND[text.column] ?? { field: `order.${field}`, at: ORDER.at[text.column as "id"] }),
}));

const ITEM_TEXTS = plainTexts(ITEM_FIELDS).map((text) => ({ ...text, place: ITEM.at[text.column] }));
/** Most text of an event's items, bytes: an event is to take no more than a part of a batch. */
const ITEMS_TEXT_BYTES = 1 << 20;
const PRICE = ITEM.at.priceMicros;
const QUANTITY = ITEM.at.quantityMicros;

/**
 * Checks an event's order, if it has one, and writes it to the batch's open row; or its refund, of which what is left
 * out is the order's. The row's times must be set.
 */
export function takeOrder(
  { bytes, values }: EventFields,
  batch: BatchBuilder,
  context: EventContext,
): Refusal | undefined {
  const { adjustments } = context;
  const hasRefund = values[at.refund] !== 0;
  if (values[at.order] === 0 && !hasRefund) return undefined;
  order.row = batch.rows;
  order.isRefund = hasRefund ? 1 : 0;
  for (const amount of AMOUNTS) {
    const { field, at } = placeOf(values, amount.column, amount);
    const micros = bigintOf(values[at]!, values[at + 1]!);
    const isGoodAmount = isAmount(micros);
    if (!isGoodAmount && amount.column === "revenueMicros") {
      return refuse(Reason.INVALID_AMOUNT, `${field}: ${amountProblem(micros)}`);
    }
    if (!isGoodAmount) adjustments.add(AdjustmentKind.DROPPED, field, amountProblem(micros));
    order[amount.column] = isGoodAmount ? micros : 0n;
  }
  for (const { limit, mend, ...text } of ORDER_TEXTS) {
    const { field, at } = placeOf(values, text.column, text);
    const [start, end] = [values[at]!, values[at + 1]!];
    const index = takeText(batch, bytes, start, end, limit);
    order[text.column] = index >= 0 ? index : mend(batch, adjustments, field, bytes, start, end, limit);
  }
  if (order.id === 0) {
    const field = hasRefund ? "refund.order_id" : "order.id";
    return refuse(Reason.ORDER_ID_MISSING, `${field}: is missing`);
  }
  order.costMicros = costOf(values, ORDER.at.costMicros, "order.cost_micros", adjustments);
  order.customerId = customerOf(bytes, values, batch, context);
  const refusal = takeCurrency(values, batch);
  if (refusal === undefined) batch.orders.append(order);
  return refusal;
}

/** The index of the customer's id, or of what stands in for it. */
function customerOf(
  bytes: Uint8Array,
  values: Int32Array,
  batch: BatchBuilder,
  context: EventContext,
): number {
  const [start, end] = [values[ORDER.at.customerId]!, values[ORDER.at.customerId + 1]!];
  if (start === end || isDenied(values)) return 0;
  return takePersonId(batch, context, "order.customer_id", bytes, start, end);
}

/** Micros plus one, as columns of the kind `known` hold them; 0: absent. */
function costOf(values: Int32Array, at: number, field: string, adjustments: Adjustments): bigint {
  const stored = bigintOf(values[at]!, values[at + 1]!);
  if (stored === 0n || isAmount(stored - 1n)) return stored;
  adjustments.add(AdjustmentKind.DROPPED, field, amountProblem(stored - 1n));
  return 0n;
}

/** The refund's field, if it has it, else the order's. */
function placeOf(values: Int32Array, column: string, ofOrder: Field): Field {
  const ofRefund = REFUND_FIELDS[column];
  if (ofRefund === undefined) return ofOrder;
  const [first, second] = [values[ofRefund.at]!, values[ofRefund.at + 1]!];
  const isAbsent = ofRefund.isText ? first === second : first === 0 && second === 0;
  return isAbsent ? ofOrder : ofRefund;
}

/** Checks the order's currency, and makes its code one in upper case. */
function takeCurrency(values: Int32Array, batch: BatchBuilder): Refusal | undefined {
  // Nearly all: looked up once a batch.
  if (isGood(batch, order.currency, Mark.CURRENCY, isCurrent)) return undefined;
  const given = batch.dictionary.text(order.currency);
  const code = /^[a-z]{3}$/i.test(given) ? given.toUpperCase() : given;
  const problem = currencyProblem(code, batch.clientTime);
  if (problem !== undefined) {
    const { field } = placeOf(values, "currency", { field: "order.currency", at: 0 });
    return refuse(Reason.UNKNOWN_CURRENCY, `${field}: ${problem}: ${shown(given)}`);
  }
  order.currency = batch.dictionary.add(code);
  return undefined;
}

/** Writes an event's items, or those of its refund, to the batch's open row, as many as have room. */
export function takeItems(event: EventFields, batch: BatchBuilder, { adjustments }: EventContext): undefined {
  const items = event.refundItems.count > 0 ? event.refundItems : event.items;
  let taken = 0;
  for (let room = ITEMS_TEXT_BYTES; taken < items.count && room > 0; taken++) {
    room -= takeItem(event.bytes, items, taken, batch, adjustments);
  }
  const given = items.count + items.beyond;
  if (taken === given) return;
  const most = `at most ${MAX_ITEMS} and ${ITEMS_TEXT_BYTES} bytes of text`;
  adjustments.add(AdjustmentKind.DROPPED, "items", `${given - taken} of ${given} items, ${most}`);
}

/** Writes one item. @returns bytes of its text. */
function takeItem(
  bytes: Uint8Array,
  items: Entries,
  index: number,
  batch: BatchBuilder,
  adjustments: Adjustments,
): number {
  const { values } = items;
  const offset = items.offset(index);
  let size = 0;
  for (const { column, field, limit, mend, place } of ITEM_TEXTS) {
    const [start, end] = [values[offset + place]!, values[offset + place + 1]!];
    const text = takeText(batch, bytes, start, end, limit);
    item[column] =
      text >= 0 ? text : mend(batch, adjustments, `items[${index}].${field}`, bytes, start, end, limit);
    size += Math.min(end - start, CHARACTER_BYTES * limit);
  }
  if (!hasId(index, adjustments)) return size;
  item.row = batch.rows;
  item.priceMicros = priceOf(values, offset, index, adjustments);
  item.quantityMicros = quantityOf(values, offset, index, adjustments);
  item.discountMicros = discountOf(values, offset, index, adjustments);
  item.costMicros = costOf(values, offset + ITEM.at.costMicros, `items[${index}].cost_micros`, adjustments);
  item.listPosition = positionOf(values, offset, index, adjustments);
  checkWorth(index, adjustments);
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

function priceOf(values: Int32Array, offset: number, index: number, adjustments: Adjustments): bigint {
  const price = bigintOf(values[offset + PRICE]!, values[offset + PRICE + 1]!);
  if (isAmount(price)) return price;
  adjustments.add(AdjustmentKind.DROPPED, `items[${index}].price_micros`, amountProblem(price));
  return 0n;
}

/** What is taken off is no more than the price. */
function discountOf(values: Int32Array, offset: number, index: number, adjustments: Adjustments): bigint {
  const at = offset + ITEM.at.discountMicros;
  const discount = bigintOf(values[at]!, values[at + 1]!);
  if (discount >= 0n && discount <= item.priceMicros) return discount;
  const problem = `${discount} is outside of 0 and the price, ${item.priceMicros}`;
  adjustments.add(AdjustmentKind.DROPPED, `items[${index}].discount_micros`, problem);
  return 0n;
}

function positionOf(values: Int32Array, offset: number, index: number, adjustments: Adjustments): number {
  const position = values[offset + ITEM.at.listPosition]! >>> 0;
  if (position <= MAX_POSITION) return position;
  const problem = `${position} is above ${MAX_POSITION}`;
  adjustments.add(AdjustmentKind.DROPPED, `items[${index}].list_position`, problem);
  return 0;
}

function quantityOf(values: Int32Array, offset: number, index: number, adjustments: Adjustments): bigint {
  const quantity = bigintOf(values[offset + QUANTITY]!, values[offset + QUANTITY + 1]!);
  if (quantity >= 0n && quantity <= MAX_QUANTITY_MICROS) return quantity || ONE_MICROS;
  const problem = `${quantity} is outside of 0 to 10^12 micros: counts as one`;
  adjustments.add(AdjustmentKind.DROPPED, `items[${index}].quantity_micros`, problem);
  return ONE_MICROS;
}

/** An item is worth no more than any other amount may be: what one event adds to a sum is bounded. */
function checkWorth(index: number, adjustments: Adjustments): void {
  // The usual price times the usual quantity is far from it.
  if (item.priceMicros <= USUAL_PRICE_MICROS || item.quantityMicros === ONE_MICROS) return;
  if (item.priceMicros * item.quantityMicros <= MAX_AMOUNT_MICROS * ONE_MICROS) return;
  const problem = `${item.priceMicros} by a quantity of ${item.quantityMicros} micros is above 10^18 micros`;
  adjustments.add(
    AdjustmentKind.DROPPED,
    `items[${index}].price_micros`,
    `${problem}: counts without a price`,
  );
  item.priceMicros = 0n;
  item.discountMicros = 0n;
}

/** A million units of a currency: by the most that there may be of an item, it is no more than an amount may be. */
const USUAL_PRICE_MICROS = 10n ** 12n;

function isAmount(micros: bigint): boolean {
  return micros >= 0n && micros <= MAX_AMOUNT_MICROS;
}

function amountProblem(micros: bigint): string {
  return `${micros} is outside of 0 to 10^18 micros`;
}
