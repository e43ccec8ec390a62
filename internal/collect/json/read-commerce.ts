import { create } from "@bufbuild/protobuf";
import { RejectReason } from "../../gen/footfall/collect/v1/collect_pb.js";
import { type Item, ItemSchema, type Order, OrderSchema } from "../../gen/footfall/event/v1/event_pb.js";
import { AdjustmentKind, type Adjustments } from "../adjustments.ts";
import {
  fieldOf,
  isAbsent,
  type JsonObject,
  kindOf,
  microsOf,
  neededMicros,
  neededText,
  objectOf,
  shownJson,
  textOf,
  Unreadable,
} from "./values.ts";

/** An event's order. @throws Unreadable when it cannot be counted as it is. */
export function readOrder(value: unknown, adjustments: Adjustments): Order | undefined {
  const order = neededObject(value, "order");
  if (order === undefined) return undefined;
  const amount = (jsonName: string, name: string) =>
    neededMicros(fieldOf(order, jsonName, name), `order.${name}`, adjustments);
  const message = create(OrderSchema);
  message.id = neededText(order.id, "order.id", adjustments, RejectReason.ORDER_ID_MISSING);
  message.revenueMicros = amount("revenueMicros", "revenue_micros");
  message.taxMicros = amount("taxMicros", "tax_micros");
  message.shippingMicros = amount("shippingMicros", "shipping_micros");
  message.discountMicros = amount("discountMicros", "discount_micros");
  message.currency = neededText(order.currency, "order.currency", adjustments, RejectReason.UNKNOWN_CURRENCY);
  message.coupon = textOf(order.coupon, "order.coupon", adjustments);
  return message;
}

/** An object that may be absent, and is, for PHP, as []. */
function neededObject(value: unknown, field: string): JsonObject | undefined {
  if (isAbsent(value) || (Array.isArray(value) && value.length === 0)) return undefined;
  const object = objectOf(value);
  if (object !== undefined) return object;
  throw new Unreadable(RejectReason.MALFORMED, `${field}: ${kindOf(value)}, must be an object`);
}

/** An event's items, or a single one; what is no item is left out. @param field its name in messages. */
export function readItems(value: unknown, field: string, adjustments: Adjustments): Item[] {
  if (isAbsent(value)) return [];
  const list = listOf(value);
  if (list === undefined) {
    adjustments.add(AdjustmentKind.DROPPED, field, `${kindOf(value)}, must be a list of objects`);
    return [];
  }
  const items: Item[] = [];
  for (const [index, entry] of list.entries()) {
    const item = objectOf(entry);
    if (item !== undefined) items.push(readItem(item, `${field}[${index}]`, adjustments));
    else adjustments.add(AdjustmentKind.DROPPED, `${field}[${index}]`, `${kindOf(entry)}, must be an object`);
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

function readItem(item: JsonObject, field: string, adjustments: Adjustments): Item {
  const message = create(ItemSchema);
  for (const name of ["id", "name", "brand", "category", "variant"] as const) {
    message[name] = textOf(item[name], `${field}.${name}`, adjustments);
  }
  const price = fieldOf(item, "priceMicros", "price_micros");
  message.priceMicros =
    microsOf(price, `${field}.price_micros`, adjustments) ??
    drop(price, `${field}.price_micros`, adjustments);
  message.quantity = Number(quantityOf(item, field, adjustments) / 1_000_000n);
  return message;
}

/** Micros: `quantity` is a decimal number of pieces. */
function quantityOf(item: JsonObject, field: string, adjustments: Adjustments): bigint {
  const micros = fieldOf(item, "quantityMicros", "quantity_micros");
  const [value, name, scale] = isAbsent(micros)
    ? [item.quantity, `${field}.quantity`, 6]
    : [micros, `${field}.quantity_micros`, 0];
  return microsOf(value, name, adjustments, scale) ?? drop(value, name, adjustments);
}

function drop(value: unknown, field: string, adjustments: Adjustments): bigint {
  adjustments.add(AdjustmentKind.DROPPED, field, `${shownJson(value)} is no number`);
  return 0n;
}
