import { ITEM_FIELDS, namesOf, ORDER_FIELDS } from "../event-schema/fields.ts";
import { NUMBER_NAMES, TEXT_NAMES } from "./batch-builder.ts";
import type { BatchView } from "./batch-view.ts";
import type { MicrosColumn } from "./columns.ts";

const ORDER_TEXTS = namesOf(ORDER_FIELDS, "text");
const ORDER_NUMBERS = namesOf(ORDER_FIELDS, "u32", "flag");
const ORDER_MICROS = namesOf(ORDER_FIELDS, "micros", "known");
const ITEM_TEXTS = namesOf(ITEM_FIELDS, "text");
const ITEM_NUMBERS = namesOf(ITEM_FIELDS, "u32", "flag");
const ITEM_MICROS = namesOf(ITEM_FIELDS, "micros", "known");

/**
 * Whether two batches hold the same events in the same order, whatever their layout: every field that this
 * program knows, ids included.
 * @returns the name of the first field that differs, or undefined.
 */
export function differingField(a: BatchView, b: BatchView): string | undefined {
  if (a.rows !== b.rows) return "rows";
  if (!Buffer.from(a.ids.bytes).equals(b.ids.bytes)) return "eventId";
  const times = [a.receivedTime, a.clientTime, b.receivedTime, b.clientTime] as const;
  for (let row = 0; row < a.rows; row++) {
    if (a.merchantIds[row] !== b.merchantIds[row]) return "merchantId";
    if (times[0].get(row) !== times[2].get(row)) return "receivedTime";
    if (times[1].get(row) !== times[3].get(row)) return "clientTime";
    if ((a.sentTime?.get(row) ?? 0) !== (b.sentTime?.get(row) ?? 0)) return "sentTime";
  }
  for (const name of NUMBER_NAMES) {
    if (!sameNumbers(a.number(name), b.number(name), a.rows)) return name;
  }
  for (const name of TEXT_NAMES) {
    if (!sameTexts(a, a.text(name), b, b.text(name), a.rows)) return name;
  }
  return differingSide(a, b);
}

function differingSide(a: BatchView, b: BatchView): string | undefined {
  const sides = [
    ["properties", a.property("row"), b.property("row")],
    ["orders", a.order("row"), b.order("row")],
    ["items", a.item("row"), b.item("row")],
  ] as const;
  for (const [name, rowsA, rowsB] of sides) {
    if (rowsA?.length !== rowsB?.length || !sameNumbers(rowsA, rowsB, rowsA?.length ?? 0)) return name;
  }
  const [properties, orders, items] = sides.map(([, rows]) => rows?.length ?? 0) as [number, number, number];
  for (const name of ["key", "value"] as const) {
    if (!sameTexts(a, a.property(name), b, b.property(name), properties)) return "properties";
  }
  if (!sameNumbers(a.property("kind"), b.property("kind"), properties)) return "properties";
  if (!sameNumbers(a.propertyNumber, b.propertyNumber, properties)) return "properties";
  for (const name of ORDER_TEXTS) if (!sameTexts(a, a.order(name), b, b.order(name), orders)) return "orders";
  for (const name of ITEM_TEXTS) if (!sameTexts(a, a.item(name), b, b.item(name), items)) return "items";
  for (const name of ORDER_NUMBERS) if (!sameNumbers(a.order(name), b.order(name), orders)) return "orders";
  for (const name of ITEM_NUMBERS) if (!sameNumbers(a.item(name), b.item(name), items)) return "items";
  for (const name of ITEM_MICROS) {
    if (!sameMicros(a.itemMicros(name), b.itemMicros(name), items)) return "items";
  }
  for (const name of ORDER_MICROS) {
    if (!sameMicros(a.orderMicros(name), b.orderMicros(name), orders)) return "orders";
  }
  return undefined;
}

type Numbers = Uint32Array | Uint16Array | Float64Array | undefined;

function sameNumbers(a: Numbers, b: Numbers, count: number): boolean {
  for (let at = 0; at < count; at++) if ((a?.[at] ?? 0) !== (b?.[at] ?? 0)) return false;
  return true;
}

function sameMicros(a: MicrosColumn | undefined, b: MicrosColumn | undefined, count: number): boolean {
  for (let at = 0; at < count; at++) if ((a?.get(at) ?? 0n) !== (b?.get(at) ?? 0n)) return false;
  return true;
}

function sameTexts(
  a: BatchView,
  ofA: Uint32Array | undefined,
  b: BatchView,
  ofB: Uint32Array | undefined,
  count: number,
): boolean {
  if (ofA === undefined && ofB === undefined) return true;
  for (let at = 0; at < count; at++) {
    if (a.dictionary.text(ofA?.[at] ?? 0) !== b.dictionary.text(ofB?.[at] ?? 0)) return false;
  }
  return true;
}
