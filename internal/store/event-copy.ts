import type { CopyWriter } from "./copy-writer.ts";
import type {
  EventColumns,
  ItemEntries,
  OrderEntries,
  PropertyEntries,
  TextIndexes,
  Texts,
} from "./event-columns.ts";

const ID_BYTES = 16;

export const COPY_EVENTS = `COPY events (merchant_id, ts, received_at, event_id, visitor_id, session_id,
  processor_version, name, url, referrer, user_agent, ip, language, screen_width, screen_height, properties,
  order_id, order_revenue_micros, order_tax_micros, order_shipping_micros, order_discount_micros,
  order_currency, order_coupon, revenue_micros) FROM STDIN (FORMAT binary)`;
const EVENT_FIELDS = 24;

export const COPY_ITEMS = `COPY items (merchant_id, ts, event_id, position, item_id, name, brand, category,
  variant, price_micros, quantity) FROM STDIN (FORMAT binary)`;
const ITEM_FIELDS = 11;

/** Fields of COPY_EVENTS that are null without an order. */
const ORDER_FIELDS = 8;

/**
 * Writes events as rows of COPY_EVENTS, and their items as rows of COPY_ITEMS.
 * @param skip 1 in a row that must not be written.
 */
export function encodeEvents(
  events: CopyWriter,
  items: CopyWriter,
  columns: EventColumns,
  skip: Uint8Array,
): void {
  const properties = columns.properties && new PropertyReader(columns.properties, columns.texts);
  let order = 0;
  let item = 0;
  for (let row = 0; row < columns.rows; row++) {
    const isSkipped = skip[row] === 1;
    if (!isSkipped) encodeBase(events, columns, row);
    const json = properties?.read(row);
    const hasOrder = columns.orders?.row[order] === row;
    if (!isSkipped) {
      if (json === undefined) events.null();
      else events.jsonb(json);
      if (hasOrder) encodeOrder(events, columns.orders!, columns.texts, order);
      else for (let i = 0; i < ORDER_FIELDS; i++) events.null();
    }
    if (hasOrder) order++;
    for (let position = 0; columns.items?.row[item] === row; item++, position++) {
      if (!isSkipped) encodeItem(items, columns, columns.items, { row, item, position });
    }
  }
}

function encodeBase(to: CopyWriter, columns: EventColumns, row: number): void {
  const { texts, visitors, sessions } = columns;
  to.row(EVENT_FIELDS);
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
}

function encodeOrder(to: CopyWriter, orders: OrderEntries, texts: Texts, at: number): void {
  text(to, orders.id, texts, at);
  to.int8(orders.revenue.get(at));
  to.int8(orders.tax?.get(at) ?? 0);
  to.int8(orders.shipping?.get(at) ?? 0);
  to.int8(orders.discount?.get(at) ?? 0);
  text(to, orders.currency, texts, at);
  text(to, orders.coupon, texts, at);
  const converted = orders.converted[at]!;
  if (Number.isNaN(converted)) to.null();
  else to.int8(converted);
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
  to.int8(items.price.get(item));
  to.int4(items.quantity[item]!);
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
