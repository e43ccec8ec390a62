import {
  EVENT_FIELDS,
  type Field,
  fieldList,
  ITEM_FIELDS,
  isWide,
  type NameOf,
  type Narrow,
  namesOf,
  ORDER_FIELDS,
} from "../event-schema/fields.ts";
import { orderKey, type PlainColumns, type PlainItem } from "../event-schema/plain.ts";
import type { PropertyValue } from "../event-schema/property.ts";
import type { BatchView } from "./batch-view.ts";
import { ID_BYTES } from "./event-id.ts";

/** A growing column of values that a row may not have. */
type Growing = unknown[];

const TEXT_NAMES = namesOf(EVENT_FIELDS, "text");
const NUMBER_FIELDS = fieldList(EVENT_FIELDS).filter(({ kind }) => kind !== "text");
const ORDER_LIST = fieldList(ORDER_FIELDS);
const ITEM_LIST = fieldList(ITEM_FIELDS);

/** Appends a checked batch's rows to columns. */
export function appendRows(view: BatchView, target: PlainColumns): void {
  const first = target.merchantId.length;
  appendFacts(view, target);
  for (const name of TEXT_NAMES) {
    const column: Growing = target[name];
    const indexes = view.text(name);
    for (let row = 0; row < view.rows; row++) column.push(view.dictionary.text(indexes?.[row] ?? 0));
  }
  for (const { name, kind } of NUMBER_FIELDS) {
    const column: Growing = target[name];
    const values = view.number(name as NameOf<typeof EVENT_FIELDS, Narrow>);
    for (let row = 0; row < view.rows; row++) column.push(plainNumber(kind, values?.[row] ?? 0));
  }
  appendProperties(view, target, first);
  appendOrders(view, target, first);
  appendItems(view, target, first);
}

function appendFacts(view: BatchView, target: PlainColumns): void {
  const ids = view.ids.bytes;
  const { sentTime } = view;
  for (let row = 0; row < view.rows; row++) {
    target.merchantId.push(view.merchantIds[row]!);
    target.receivedTime.push(view.receivedTime.get(row));
    target.clientTime.push(view.clientTime.get(row));
    target.sentTime.push(sentTime?.get(row) || undefined);
    target.eventId.push(ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES));
  }
}

/** A number as plain columns have it: a flag is a boolean, any other 0 absent. */
function plainNumber(kind: Field["kind"], value: number): number | boolean | undefined {
  return kind === "flag" ? value === 1 : value || undefined;
}

function appendProperties(view: BatchView, { properties }: PlainColumns, first: number): void {
  grow(properties, first + view.rows);
  const rows = view.property("row") ?? [];
  const keys = view.property("key");
  for (let at = 0; at < rows.length; ) {
    const row = rows[at]!;
    const pairs: [string, PropertyValue][] = [];
    for (; at < rows.length && rows[at] === row; at++) {
      pairs.push([view.dictionary.text(keys![at]!)!, view.propertyValue(at)]);
    }
    properties[first + row] = writeProperties(pairs);
  }
}

function grow(column: Growing, length: number): void {
  const first = column.length;
  column.length = length;
  column.fill(undefined, first);
}

function appendOrders(view: BatchView, target: PlainColumns, first: number): void {
  const rows = view.order("row");
  for (const { name, kind } of ORDER_LIST) {
    const column: Growing = target[orderKey(name)];
    grow(column, first + view.rows);
    rows?.forEach((row, at) => {
      column[first + row] = sideValue(view, "order", name, kind, at);
    });
  }
}

function appendItems(view: BatchView, { items }: PlainColumns, first: number): void {
  grow(items, first + view.rows);
  view.item("row")?.forEach((row, at) => {
    items[first + row] ??= [];
    const item = ITEM_LIST.map(({ name, kind }) => [name, sideValue(view, "item", name, kind, at)]);
    items[first + row]!.push(Object.fromEntries(item) as PlainItem);
  });
}

/** The value of an order's or item's field. Names are those of the view's columns of that kind. */
function sideValue(view: BatchView, side: "order" | "item", name: string, kind: Field["kind"], at: number) {
  if (isWide(kind)) {
    const micros = view[`${side}Micros`](name as "costMicros")?.get(at) ?? 0n;
    if (kind === "micros") return micros;
    return micros === 0n ? undefined : micros - 1n;
  }
  const value = view[side](name as "id")?.[at] ?? 0;
  return kind === "text" ? view.dictionary.text(value) : plainNumber(kind, value);
}

/** Pairs of keys and values as the text of a JSON object, in their order; a key that comes twice is written twice. */
export function writeProperties(pairs: readonly (readonly [string, PropertyValue])[]): string {
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
}

/** The pairs of a text that writeProperties made, in their order. */
export function readProperties(json: string): [string, PropertyValue][] {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[^"{}:,]+/g) ?? [];
  const values = tokens.map((token) => JSON.parse(token) as PropertyValue);
  return Array.from({ length: values.length / 2 }, (_, at) => [String(values[2 * at]), values[2 * at + 1]!]);
}
