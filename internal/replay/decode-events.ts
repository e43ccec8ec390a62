import type { BatchView } from "../event/batch-view.ts";
import type { I64Column } from "../event/columns.ts";
import { formatId } from "../event/event-id.ts";
import { EVENT_FIELDS, ITEM_FIELDS, namesOf, ORDER_FIELDS } from "../event-schema/fields.ts";
import type { PropertyValue } from "../event-schema/property.ts";

/** An event for a person to read: what is absent is left out; what cannot be read says so under `unreadable`. */
export type PlainEvent = Readonly<Record<string, unknown>>;

const TEXTS = namesOf(EVENT_FIELDS, "text");
const NUMBERS = namesOf(EVENT_FIELDS, "u16", "u32", "flag");
const ORDER_TEXTS = namesOf(ORDER_FIELDS, "text");
const ORDER_NUMBERS = namesOf(ORDER_FIELDS, "u32", "flag");
const ORDER_AMOUNTS = namesOf(ORDER_FIELDS, "micros");
const ITEM_TEXTS = namesOf(ITEM_FIELDS, "text");
const ITEM_NUMBERS = namesOf(ITEM_FIELDS, "u32", "flag");
const ITEM_AMOUNTS = namesOf(ITEM_FIELDS, "micros");

/**
 * The first events of a batch that need not have passed the check: each as far as it can be read. Never throws.
 * @param open makes the view, which may fail on such a batch too.
 */
export function decodeEvents(open: () => BatchView, limit: number): PlainEvent[] {
  try {
    const view = open();
    const sides = new Sides(view);
    return Array.from({ length: Math.min(view.rows, limit) }, (_, row) => decodeEvent(view, sides, row));
  } catch (error) {
    return [{ unreadable: reasonOf(error) }];
  }
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function decodeEvent(view: BatchView, sides: Sides, row: number): PlainEvent {
  const event: Record<string, unknown> = { row };
  const read = (name: string, value: () => unknown) => {
    try {
      const found = value();
      if (found !== undefined) event[name] = found;
    } catch (error) {
      event.unreadable = `${event.unreadable === undefined ? "" : `${event.unreadable}; `}${name}: ${reasonOf(error)}`;
    }
  };
  read("merchantId", () => view.merchantIds[row]);
  read("eventId", () => formatId(view.ids.bytes, 16 * row));
  read("receivedTime", () => timeAt(view.receivedTime, row));
  read("clientTime", () => timeAt(view.clientTime, row));
  for (const name of TEXTS) read(name, () => textAt(view, view.text(name), row));
  for (const name of NUMBERS) read(name, () => view.number(name)?.[row] || undefined);
  read("properties", () => sides.properties(row));
  read("order", () => sides.order(row));
  read("items", () => sides.items(row));
  return event;
}

/** Properties, orders and items by the row that they belong to. */
class Sides {
  readonly #view: BatchView;
  readonly #properties: Map<number, number[]>;
  readonly #orders: Map<number, number[]>;
  readonly #items: Map<number, number[]>;

  constructor(view: BatchView) {
    this.#view = view;
    this.#properties = positionsByRow(view.property("row"));
    this.#orders = positionsByRow(view.order("row"));
    this.#items = positionsByRow(view.item("row"));
  }

  properties(row: number): PlainEvent | undefined {
    const view = this.#view;
    const entries = this.#properties
      .get(row)
      ?.map((at) => [textAt(view, view.property("key"), at) ?? "", propertyAt(view, at)]);
    return entries && Object.fromEntries(entries);
  }

  order(row: number): PlainEvent | undefined {
    const at = this.#orders.get(row)?.[0];
    if (at === undefined) return undefined;
    const view = this.#view;
    return plain([
      ...ORDER_TEXTS.map((name) => [name, textAt(view, view.order(name), at)] as const),
      ...ORDER_AMOUNTS.map((name) => [name, view.orderMicros(name)?.get(at).toString()] as const),
      ["costMicros", costOf(view.orderMicros("costMicros")?.get(at))],
      ...ORDER_NUMBERS.map((name) => [name, view.order(name)?.[at] || undefined] as const),
    ]);
  }

  items(row: number): PlainEvent[] | undefined {
    const view = this.#view;
    return this.#items
      .get(row)
      ?.map((at) =>
        plain([
          ...ITEM_TEXTS.map((name) => [name, textAt(view, view.item(name), at)] as const),
          ...ITEM_AMOUNTS.map((name) => [name, view.itemMicros(name)?.get(at).toString()] as const),
          ["costMicros", costOf(view.itemMicros("costMicros")?.get(at))],
          ...ITEM_NUMBERS.map((name) => [name, view.item(name)?.[at] || undefined] as const),
        ]),
      );
  }
}

/** @param stored micros plus one, 0 where they are not known. */
function costOf(stored: bigint | undefined): string | undefined {
  return stored === undefined || stored === 0n ? undefined : String(stored - 1n);
}

function plain(entries: readonly (readonly [string, unknown])[]): PlainEvent {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function positionsByRow(rows: Uint32Array | undefined): Map<number, number[]> {
  const positions = new Map<number, number[]>();
  rows?.forEach((row, at) => {
    const known = positions.get(row);
    if (known === undefined) positions.set(row, [at]);
    else known.push(at);
  });
  return positions;
}

function propertyAt(view: BatchView, at: number): PropertyValue {
  textAt(view, view.property("value"), at);
  return view.propertyValue(at);
}

/** @throws RangeError for an index that the batch has no text of. */
function textAt(view: BatchView, column: Uint32Array | undefined, at: number): string | undefined {
  const index = column?.[at] ?? 0;
  if (index > view.dictionary.size) throw new RangeError(`index ${index} of ${view.dictionary.size} texts`);
  return view.dictionary.text(index);
}

/** ISO 8601, or the number where it is no time. */
function timeAt(column: I64Column, row: number): string | number {
  const ms = column.get(row);
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? ms : time.toISOString();
}
