import type { BatchView } from "./batch-view.ts";
import { ID_BYTES } from "./event-id.ts";
import { TEXT_COLUMNS, type TextColumn } from "./text-columns.ts";

/** A text, number or list that a row may not have. */
export type Optional<T> = (T | undefined)[];

/**
 * Events as columns of plain values, one value a row, which grow as batches are appended: the form in which the
 * archive takes and gives them. Times are ms since 1970-01-01 UTC, amounts micros; what is absent is undefined.
 */
export interface PlainColumns extends Record<Exclude<TextColumn, "name">, Optional<string>> {
  readonly merchantId: number[];
  readonly receivedTime: number[];
  readonly clientTime: number[];
  readonly sentTime: Optional<number>;
  /** 16 bytes each, derived ones included. */
  readonly eventId: Uint8Array[];
  readonly name: string[];
  readonly screenWidth: Optional<number>;
  readonly screenHeight: Optional<number>;
  /** A JSON object of texts, as writeProperties writes it. */
  readonly properties: Optional<string>;
  readonly orderId: Optional<string>;
  readonly orderRevenueMicros: Optional<bigint>;
  readonly orderTaxMicros: Optional<bigint>;
  readonly orderShippingMicros: Optional<bigint>;
  readonly orderDiscountMicros: Optional<bigint>;
  readonly orderCurrency: Optional<string>;
  readonly orderCoupon: Optional<string>;
  /** Whether the event says by more than its name that the order is refunded; undefined without an order. */
  readonly orderIsRefund: Optional<boolean>;
  readonly refundId: Optional<string>;
  readonly items: Optional<PlainItem[]>;
}

/** An item of an event. */
export interface PlainItem {
  readonly id: string;
  readonly name: string | undefined;
  readonly brand: string | undefined;
  readonly category: string | undefined;
  readonly variant: string | undefined;
  readonly priceMicros: bigint;
  readonly quantityMicros: bigint;
}

const ORDER_AMOUNTS = {
  revenueMicros: "orderRevenueMicros",
  taxMicros: "orderTaxMicros",
  shippingMicros: "orderShippingMicros",
  discountMicros: "orderDiscountMicros",
} as const;

/** Appends a checked batch's rows to columns. */
export function appendRows(view: BatchView, target: PlainColumns): void {
  const first = target.merchantId.length;
  appendFacts(view, target);
  for (const name of TEXT_COLUMNS) {
    const column: Optional<string> = target[name];
    const indexes = view.text(name);
    for (let row = 0; row < view.rows; row++) column.push(view.dictionary.text(indexes?.[row] ?? 0));
  }
  appendProperties(view, target, first);
  appendOrders(view, target, first);
  appendItems(view, target, first);
}

function appendFacts(view: BatchView, target: PlainColumns): void {
  const ids = view.ids.bytes;
  const { sentTime, screenWidth, screenHeight } = view;
  for (let row = 0; row < view.rows; row++) {
    target.merchantId.push(view.merchantIds[row]!);
    target.receivedTime.push(view.receivedTime.get(row));
    target.clientTime.push(view.clientTime.get(row));
    target.sentTime.push(sentTime?.get(row) || undefined);
    target.eventId.push(ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES));
    target.screenWidth.push(screenWidth?.[row] || undefined);
    target.screenHeight.push(screenHeight?.[row] || undefined);
  }
}

function appendProperties(view: BatchView, { properties }: PlainColumns, first: number): void {
  properties.length = first + view.rows;
  properties.fill(undefined, first);
  const rows = view.property("row") ?? [];
  const [keys, values] = [view.property("key"), view.property("value")];
  for (let at = 0; at < rows.length; ) {
    const row = rows[at]!;
    const pairs: [string, string][] = [];
    for (; at < rows.length && rows[at] === row; at++) {
      const value = view.dictionary.text(values?.[at] ?? 0) ?? "";
      pairs.push([view.dictionary.text(keys![at]!)!, value]);
    }
    properties[first + row] = writeProperties(pairs);
  }
}

function appendOrders(view: BatchView, target: PlainColumns, first: number): void {
  const { orderId, orderCurrency, orderCoupon, orderIsRefund, refundId } = target;
  const columns = [orderId, orderCurrency, orderCoupon, orderIsRefund, refundId, ...orderAmounts(target)];
  for (const column of columns) {
    column.length = first + view.rows;
    column.fill(undefined, first);
  }
  const text = (name: "id" | "currency" | "coupon" | "refundId", at: number) =>
    view.dictionary.text(view.order(name)?.[at] ?? 0);
  view.order("row")?.forEach((row, at) => {
    orderId[first + row] = text("id", at);
    orderCurrency[first + row] = text("currency", at);
    orderCoupon[first + row] = text("coupon", at);
    orderIsRefund[first + row] = view.order("isRefund")?.[at] === 1;
    refundId[first + row] = text("refundId", at);
    for (const [name, column] of Object.entries(ORDER_AMOUNTS)) {
      target[column][first + row] = view.orderMicros(name as keyof typeof ORDER_AMOUNTS)?.get(at) ?? 0n;
    }
  });
}

function orderAmounts(target: PlainColumns): Optional<bigint>[] {
  return Object.values(ORDER_AMOUNTS).map((name) => target[name]);
}

function appendItems(view: BatchView, { items }: PlainColumns, first: number): void {
  items.length = first + view.rows;
  items.fill(undefined, first);
  const text = (name: "id" | "name" | "brand" | "category" | "variant", at: number) =>
    view.dictionary.text(view.item(name)?.[at] ?? 0);
  view.item("row")?.forEach((row, at) => {
    items[first + row] ??= [];
    items[first + row]!.push({
      id: text("id", at)!,
      name: text("name", at),
      brand: text("brand", at),
      category: text("category", at),
      variant: text("variant", at),
      priceMicros: view.itemMicros("priceMicros")!.get(at),
      quantityMicros: view.itemMicros("quantityMicros")!.get(at),
    });
  });
}

/** Pairs of texts as the text of a JSON object, in their order; a key that comes twice is written twice. */
export function writeProperties(pairs: readonly (readonly [string, string])[]): string {
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
}

/** The pairs of a text that writeProperties made, in their order. */
export function readProperties(json: string): [string, string][] {
  const texts = (json.match(/"(?:[^"\\]|\\.)*"/g) ?? []).map((token) => JSON.parse(token) as string);
  return Array.from({ length: texts.length / 2 }, (_, at) => [texts[2 * at]!, texts[2 * at + 1]!]);
}
