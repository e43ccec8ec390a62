import { create } from "@bufbuild/protobuf";
import { ITEM_FIELDS, namesOf, ORDER_FIELDS, underscored } from "../../event-schema/fields.ts";
import { RejectReason } from "../../gen/footfall/collect/v1/collect_pb.js";
import {
  type Item,
  ItemSchema,
  type Order,
  OrderSchema,
  type Refund,
  RefundSchema,
} from "../../gen/footfall/event/v1/event_pb.js";
import { AdjustmentKind, type Adjustments } from "../adjustments.ts";
import { MAX_ITEMS } from "../event-fields.ts";
import {
  fieldOf,
  isAbsent,
  type JsonObject,
  kindOfValue,
  microsOf,
  neededMicros,
  neededText,
  objectOf,
  shownJson,
  textOfValue,
  Unreadable,
  wholeOf,
} from "./values.ts";

/** What an order may be without. */
const ORDER_AMOUNTS = namesOf(ORDER_FIELDS, "micros").filter((name) => name !== "revenueMicros");
const ORDER_TEXTS = namesOf(ORDER_FIELDS, "text").filter(
  (name) => name !== "id" && name !== "currency" && name !== "refundId",
);

/** An event's order. @throws Unreadable when it cannot be counted as it is. */
export function readJsonOrder(value: unknown, adjustments: Adjustments): Order | undefined {
  const order = neededObject(value, "order");
  if (order === undefined) return undefined;
  const message = create(OrderSchema);
  message.id = neededText(order.id, "order.id", adjustments, RejectReason.ORDER_ID_MISSING);
  const revenue = fieldOf(order, "revenueMicros");
  message.revenueMicros = neededMicros(revenue, "order.revenue_micros", adjustments);
  for (const name of ORDER_AMOUNTS) {
    message[name] = optionalMicros(fieldOf(order, name), `order.${underscored(name)}`, adjustments);
  }
  message.currency = neededText(order.currency, "order.currency", adjustments, RejectReason.UNKNOWN_CURRENCY);
  const cost = fieldOf(order, "costMicros");
  if (!isAbsent(cost)) message.costMicros = optionalMicros(cost, "order.cost_micros", adjustments);
  for (const name of ORDER_TEXTS) {
    message[name] = textOfValue(fieldOf(order, name), `order.${underscored(name)}`, adjustments);
  }
  return message;
}

/** An event's refund. @throws Unreadable when it cannot be counted as it is. */
export function readRefund(value: unknown, adjustments: Adjustments): Refund | undefined {
  const refund = neededObject(value, "refund");
  if (refund === undefined) return undefined;
  const { ORDER_ID_MISSING, UNKNOWN_CURRENCY } = RejectReason;
  const orderId = fieldOf(refund, "orderId");
  const amount = fieldOf(refund, "amountMicros");
  const message = create(RefundSchema);
  message.id = textOfValue(refund.id, "refund.id", adjustments);
  message.orderId = neededText(orderId, "refund.order_id", adjustments, ORDER_ID_MISSING);
  message.amountMicros = neededMicros(amount, "refund.amount_micros", adjustments);
  message.currency = neededText(refund.currency, "refund.currency", adjustments, UNKNOWN_CURRENCY);
  message.items = readItems(refund.items, "refund.items", adjustments);
  return message;
}

/** An object that may be absent, and is, for PHP, as []. */
function neededObject(value: unknown, field: string): JsonObject | undefined {
  if (isAbsent(value) || (Array.isArray(value) && value.length === 0)) return undefined;
  const object = objectOf(value);
  if (object !== undefined) return object;
  throw new Unreadable(RejectReason.MALFORMED, `${field}: ${kindOfValue(value)}, must be an object`);
}

const TOO_MANY = create(ItemSchema);

/** An event's items, or a single one; what is no item is left out. @param field its name in messages. */
export function readItems(value: unknown, field: string, adjustments: Adjustments): Item[] {
  if (isAbsent(value)) return [];
  const list = listOf(value);
  if (list === undefined) {
    adjustments.add(AdjustmentKind.DROPPED, field, `${kindOfValue(value)}, must be a list of objects`);
    return [];
  }
  const items: Item[] = [];
  for (const [index, entry] of list.entries()) {
    // An empty one in the place of each that is too many: they are counted behind this.
    if (items.length >= MAX_ITEMS) {
      items.push(TOO_MANY);
      continue;
    }
    const item = objectOf(entry);
    if (item !== undefined) items.push(readItem(item, `${field}[${index}]`, adjustments));
    else
      adjustments.add(
        AdjustmentKind.DROPPED,
        `${field}[${index}]`,
        `${kindOfValue(entry)}, must be an object`,
      );
  }
  return items;
}

/** A list; PHP writes one with gaps as an object with the places for names. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  const object = objectOf(value);
  if (object === undefined) return undefined;
  const names = Object.keys(object);
  return names.length > 0 && names.every((name) => /^\d+$/.test(name)) ? Object.values(object) : [object];
}

const ITEM_TEXTS = namesOf(ITEM_FIELDS, "text");

function readItem(item: JsonObject, field: string, adjustments: Adjustments): Item {
  const message = create(ItemSchema);
  for (const name of ITEM_TEXTS) {
    message[name] = textOfValue(fieldOf(item, name), `${field}.${underscored(name)}`, adjustments);
  }
  const price = fieldOf(item, "priceMicros");
  message.priceMicros = optionalMicros(price, `${field}.price_micros`, adjustments);
  message.quantityMicros = quantityOf(item, field, adjustments);
  const discount = fieldOf(item, "discountMicros");
  message.discountMicros = optionalMicros(discount, `${field}.discount_micros`, adjustments);
  const cost = fieldOf(item, "costMicros");
  if (!isAbsent(cost)) message.costMicros = optionalMicros(cost, `${field}.cost_micros`, adjustments);
  message.listPosition = wholeOf(fieldOf(item, "listPosition"), `${field}.list_position`, adjustments);
  return message;
}

/** Micros: `quantity` is a decimal number of pieces. */
function quantityOf(item: JsonObject, field: string, adjustments: Adjustments): bigint {
  const micros = fieldOf(item, "quantityMicros");
  const [value, name, scale] = isAbsent(micros)
    ? [item.quantity, `${field}.quantity`, 6]
    : [micros, `${field}.quantity_micros`, 0];
  return optionalMicros(value, name, adjustments, scale);
}

/** Millionths of an optional field, 0 for what is no number. @param scale 6 for a number of whole ones. */
function optionalMicros(value: unknown, field: string, adjustments: Adjustments, scale = 0): bigint {
  const micros = microsOf(value, field, adjustments, scale);
  if (micros === undefined)
    adjustments.add(AdjustmentKind.DROPPED, field, `${shownJson(value)} is no number`);
  return micros ?? 0n;
}
