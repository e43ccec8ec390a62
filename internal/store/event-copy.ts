import type { CopyWriter } from "./copy-writer.ts";
import { DerivedCopy } from "./derived-copy.ts";
import {
  BOT_COLUMNS,
  DEVICE_COLUMNS,
  type EventColumns,
  Excess,
  type ItemEntries,
  type OrderEntries,
  OrderKind,
  PAGE_COLUMNS,
  PLACE_COLUMNS,
  type PropertyEntries,
  SOURCE_COLUMNS,
  type TextIndexes,
  type Texts,
  UNKNOWN_MICROS,
} from "./event-columns.ts";

const ID_BYTES = 16;

const BASE_COLUMNS = [
  ...["merchant_id", "ts", "received_at", "event_id", "visitor_id", "session_id", "processor_version"],
  ...["name", "url", "referrer", "user_agent", "ip", "language", "screen_width", "screen_height"],
  ...["is_bot", "time_quality", "in_rollups"],
];

/** Those that are null without an order. */
const ORDER_COLUMNS = [
  ...["order_id", "order_revenue_micros", "order_tax_micros", "order_shipping_micros"],
  ...["order_discount_micros", "order_currency", "order_coupon", "refund_id", "order_kind", "revenue_micros"],
  "refund_excess",
];

const EVENT_COLUMNS = [
  ...BASE_COLUMNS,
  ...BOT_COLUMNS,
  ...DEVICE_COLUMNS,
  ...PLACE_COLUMNS,
  ...SOURCE_COLUMNS,
  ...PAGE_COLUMNS,
  "properties",
  ...ORDER_COLUMNS,
];

export const COPY_EVENTS = `COPY events (${EVENT_COLUMNS.join(", ")}) FROM STDIN (FORMAT binary)`;

export const COPY_ITEMS = `COPY items (merchant_id, ts, event_id, position, item_id, name, brand, category,
  variant, price_micros, quantity_micros, in_rollups) FROM STDIN (FORMAT binary)`;
const ITEM_FIELDS = 12;

/** What an order that has counted before is. */
const REPEAT_OF: Readonly<Record<number, number>> = {
  [OrderKind.ORDER]: OrderKind.REPEAT,
  [OrderKind.REFUND]: OrderKind.REFUND_REPEAT,
};

/** What is found out about rows while they are stored. */
export interface Found {
  /** 1 in a row whose event is stored already, or erased: it must not be written. */
  readonly duplicates: Uint8Array;
  /** 1 at an order (not a row) whose order id, or refund, has counted before. */
  readonly repeats: Uint8Array;
  /** Values of Excess, one an order. */
  readonly excess: Uint8Array;
}

/** Writes all events of a batch as rows of COPY_EVENTS, and their items as rows of COPY_ITEMS. */
export function encodeEvents(
  events: CopyWriter,
  items: CopyWriter,
  columns: EventColumns,
  found: Found,
): void {
  new EventEncoder(events, items, columns, found).encode(columns.rows);
}

/** Writes a batch's events and items slice by slice, so that a large one need not hold the event loop. */
export class EventEncoder {
  readonly #events: CopyWriter;
  readonly #items: CopyWriter;
  readonly #columns: EventColumns;
  readonly #found: Found;
  readonly #properties: PropertyReader | undefined;
  readonly #derived: readonly DerivedCopy[];
  #row = 0;
  #order = 0;
  #item = 0;

  constructor(events: CopyWriter, items: CopyWriter, columns: EventColumns, found: Found) {
    this.#events = events;
    this.#items = items;
    this.#columns = columns;
    this.#found = found;
    this.#properties = columns.properties && new PropertyReader(columns.properties, columns.texts);
    this.#derived = [
      new DerivedCopy(events, columns.bot, BOT_COLUMNS.length),
      new DerivedCopy(events, columns.device, DEVICE_COLUMNS.length),
      new DerivedCopy(events, columns.place, PLACE_COLUMNS.length),
      new DerivedCopy(events, columns.source, SOURCE_COLUMNS.length),
      new DerivedCopy(events, columns.page, PAGE_COLUMNS.length),
    ];
  }

  /** Encodes the next rows, at most so many. @returns whether there are more. */
  encode(rows: number): boolean {
    const end = Math.min(this.#row + rows, this.#columns.rows);
    for (; this.#row < end; this.#row++) this.#encodeRow(this.#row);
    return this.#row < this.#columns.rows;
  }

  #encodeRow(row: number): void {
    const columns = this.#columns;
    const isSkipped = this.#found.duplicates[row] === 1;
    const json = this.#properties?.read(row);
    const order = columns.orders?.row[this.#order] === row ? this.#order++ : undefined;
    if (!isSkipped) this.#encodeEvent(row, json, order);
    for (let position = 0; columns.items?.row[this.#item] === row; this.#item++, position++) {
      if (!isSkipped) encodeItem(this.#items, columns, columns.items, { row, item: this.#item, position });
    }
  }

  #encodeEvent(row: number, json: string | undefined, order: number | undefined): void {
    const events = this.#events;
    const { orders, texts } = this.#columns;
    encodeBase(events, this.#columns, row);
    for (const derived of this.#derived) derived.write(row);
    if (json === undefined) events.null();
    else events.jsonb(json);
    if (order === undefined) events.nulls(ORDER_COLUMNS.length);
    else encodeOrder(events, orders!, texts, order, this.#found);
  }
}

function encodeBase(to: CopyWriter, columns: EventColumns, row: number): void {
  const { texts, visitors, sessions } = columns;
  to.row(EVENT_COLUMNS.length);
  to.int4(columns.merchantIds[row]!);
  to.timestamp(columns.time.get(row));
  to.timestamp(columns.receivedTime.get(row));
  to.bytes(columns.eventIds, row * ID_BYTES, (row + 1) * ID_BYTES);
  to.int8Words(visitors[2 * row + 1]!, visitors[2 * row]!);
  to.int8Words(sessions[2 * row + 1]!, sessions[2 * row]!);
  to.int2(columns.processorVersion);
  text(to, columns.name, texts, row);
  text(to, columns.url, texts, row);
  text(to, columns.referrer, texts, row);
  text(to, columns.userAgent, texts, row);
  text(to, columns.ip, texts, row);
  text(to, columns.language, texts, row);
  side(to, columns.screenWidth, row);
  side(to, columns.screenHeight, row);
  to.bool(columns.isBot[row] === 1);
  to.int2(columns.timeQuality[row]!);
  to.bool(columns.inRollups?.[row] === 1);
}

function encodeOrder(
  to: CopyWriter,
  orders: OrderEntries,
  texts: Texts,
  at: number,
  { repeats, excess }: Found,
): void {
  text(to, orders.id, texts, at);
  to.int8Exact(orders.revenue.get(at));
  to.int8Exact(orders.tax?.get(at) ?? 0n);
  to.int8Exact(orders.shipping?.get(at) ?? 0n);
  to.int8Exact(orders.discount?.get(at) ?? 0n);
  text(to, orders.currency, texts, at);
  text(to, orders.coupon, texts, at);
  text(to, orders.refundId, texts, at);
  const kind = repeats[at] === 1 ? REPEAT_OF[orders.kind[at]!]! : orders.kind[at]!;
  to.int2(kind);
  const converted = orders.converted[at]!;
  const counts = kind === OrderKind.ORDER || kind === OrderKind.REFUND;
  if (!counts || converted === UNKNOWN_MICROS) to.null();
  else to.int8Exact(converted);
  if (kind !== OrderKind.REFUND || excess[at] === Excess.UNKNOWN) to.null();
  else to.bool(excess[at] === Excess.OVER);
}

function encodeItem(
  to: CopyWriter,
  columns: EventColumns,
  items: ItemEntries,
  { row, item, position }: { row: number; item: number; position: number },
): void {
  const { texts } = columns;
  to.row(ITEM_FIELDS);
  to.int4(columns.merchantIds[row]!);
  to.timestamp(columns.time.get(row));
  to.bytes(columns.eventIds, row * ID_BYTES, (row + 1) * ID_BYTES);
  to.int2(position);
  text(to, items.id, texts, item);
  text(to, items.name, texts, item);
  text(to, items.brand, texts, item);
  text(to, items.category, texts, item);
  text(to, items.variant, texts, item);
  to.int8Exact(items.price.get(item));
  to.int8Exact(items.quantity.get(item));
  to.bool(columns.inRollups?.[row] === 1);
}

function text(to: CopyWriter, indexes: TextIndexes, texts: Texts, at: number): void {
  const index = indexes === undefined ? 0 : indexes[at]!;
  if (index === 0) to.null();
  else to.bytes(texts.source, texts.start(index), texts.end(index));
}

/** A side of the screen, 0 meaning absent. */
function side(to: CopyWriter, values: Uint16Array | undefined, row: number): void {
  const value = values?.[row] ?? 0;
  if (value === 0) to.null();
  else to.int4(value);
}

/** Reads the properties of rows in ascending order, as JSON texts. */
class PropertyReader {
  readonly #entries: PropertyEntries;
  readonly #texts: Texts;
  /** JSON form of each text, by index: keys repeat from row to row. */
  readonly #quoted = new Map<number, string>();
  #at = 0;

  constructor(entries: PropertyEntries, texts: Texts) {
    this.#entries = entries;
    this.#texts = texts;
  }

  /** The JSON object of a row, or undefined when it has no properties. */
  read(row: number): string | undefined {
    const { row: rows, key, value } = this.#entries;
    if (rows[this.#at] !== row) return undefined;
    let json = "{";
    for (; rows[this.#at] === row; this.#at++) {
      if (json.length > 1) json += ",";
      json += `${this.#quote(key[this.#at]!)}:${this.#quote(value?.[this.#at] ?? 0)}`;
    }
    return `${json}}`;
  }

  #quote(index: number): string {
    let quoted = this.#quoted.get(index);
    if (quoted === undefined) {
      quoted = JSON.stringify(this.#texts.text(index) ?? "");
      this.#quoted.set(index, quoted);
    }
    return quoted;
  }
}
