import { EVENT_FIELDS, type Fields, ITEM_FIELDS, isWide, ORDER_FIELDS } from "../../event-schema/fields.ts";
import type { BatchView } from "../batch-view.ts";
import type { MicrosColumn } from "../columns.ts";
import { formatId } from "../event-id.ts";
import { type PlainItem, type PlainOrder, type PlainRow, present } from "./plain-row.ts";

/** Every value of a batch, read through BatchView. */
export function viewRows(view: BatchView): PlainRow[] {
  return Array.from({ length: view.rows }, (_, row) => {
    const properties = positions(view.property("row"), row).map((at) => [
      textAt(view, view.property("key"), at),
      view.propertyValue(at),
    ]);
    const orders = positions(view.order("row"), row).map((at) => viewOrder(view, at));
    const items = positions(view.item("row"), row).map((at) => viewItem(view, at));
    return present<PlainRow>(
      {
        merchantId: view.merchantIds[row]!,
        eventId: formatId(view.ids.bytes, 16 * row),
        receivedTime: view.receivedTime.get(row),
        clientTime: view.clientTime.get(row),
        ...valuesOf(EVENT_FIELDS, view, {
          at: row,
          column: (name) =>
            EVENT_FIELDS[name as "name"].kind === "text"
              ? view.text(name as "name")
              : view.number(name as "screenWidth"),
          micros: () => undefined,
        }),
        properties: properties.length === 0 ? undefined : Object.fromEntries(properties),
        order: orders[0],
        items: items.length === 0 ? undefined : items,
      },
      "receivedTime",
      "clientTime",
    );
  });
}

function viewOrder(view: BatchView, at: number): PlainOrder {
  const column = (name: string) => view.order(name as "id");
  const micros = (name: string) => view.orderMicros(name as "revenueMicros");
  return present(valuesOf(ORDER_FIELDS, view, { at, column, micros }), "revenueMicros");
}

function viewItem(view: BatchView, at: number): PlainItem {
  const column = (name: string) => view.item(name as "id");
  const micros = (name: string) => view.itemMicros(name as "priceMicros");
  return present(valuesOf(ITEM_FIELDS, view, { at, column, micros }), "priceMicros");
}

interface Place {
  readonly at: number;
  readonly column: (name: string) => Uint32Array | Uint16Array | undefined;
  readonly micros: (name: string) => MicrosColumn | undefined;
}

/** Every field of a table at a place. */
function valuesOf(fields: Fields, view: BatchView, { at, column, micros }: Place): Record<string, unknown> {
  const values = Object.entries(fields).map(([name, { kind }]) => {
    if (isWide(kind)) return [name, micros(name)?.get(at)];
    if (kind === "text") return [name, textAt(view, column(name) as Uint32Array | undefined, at)];
    return [name, column(name)?.[at]];
  });
  return Object.fromEntries(values);
}

function textAt(view: BatchView, column: Uint32Array | undefined, at: number): string {
  return view.dictionary.text(column?.[at] ?? 0) ?? "";
}

function positions(rows: Uint32Array | undefined, row: number): number[] {
  return [...(rows ?? [])].flatMap((value, at) => (value === row ? [at] : []));
}
