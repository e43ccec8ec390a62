import { EVENT_FIELDS, ITEM_FIELDS, ORDER_FIELDS } from "../event-schema/fields.ts";
import { PropertyKind } from "../event-schema/property.ts";
import type { CopyWriter } from "./copy-writer.ts";
import { DerivedCopy } from "./derived-copy.ts";
import {
  BOT_COLUMNS,
  DEVICE_COLUMNS,
  type EventColumns,
  Excess,
  ORDER_PARTS,
  type OrderEntries,
  OrderKind,
  PAGE_COLUMNS,
  PLACE_COLUMNS,
  type PropertyEntries,
  SOURCE_COLUMNS,
  Stage,
  type Texts,
  UNKNOWN_MICROS,
} from "./event-columns.ts";
import { FieldCopy, type StoredField, storedFields } from "./field-copy.ts";

const ID_BYTES = 16;

const EVENT_STORED = storedFields(EVENT_FIELDS);
const ORDER_STORED = storedFields(ORDER_FIELDS);
const ITEM_STORED = storedFields(ITEM_FIELDS);

const columnsOf = (fields: readonly StoredField[]) => fields.map(({ column }) => column);

/** Those that are null without an order. */
const ORDER_COLUMNS = [
  ...columnsOf(ORDER_STORED),
  "order_customer_id",
  "order_kind",
  "revenue_micros",
  "refund_excess",
  ...ORDER_PARTS.map((part) => `${part}_micros`),
];

const EVENT_COLUMNS = [
  ...["merchant_id", "ts", "received_at", "event_id", "visitor_id", "session_id", "processor_version"],
  ...["is_bot", "time_quality", "in_rollups", "user_id", "stage"],
  ...columnsOf(EVENT_STORED),
  ...BOT_COLUMNS,
  ...DEVICE_COLUMNS,
  ...PLACE_COLUMNS,
  ...SOURCE_COLUMNS,
  ...PAGE_COLUMNS,
  "properties",
  ...ORDER_COLUMNS,
];

export const COPY_EVENTS = `COPY events (${EVENT_COLUMNS.join(", ")}) FROM STDIN (FORMAT binary)`;

const ITEM_COLUMNS = [
  ...["merchant_id", "ts", "event_id", "position", "in_rollups", "is_bot", "visitor_id", "session_id"],
  ...["stage", "revenue_micros"],
  ...columnsOf(ITEM_STORED),
];

export const COPY_ITEMS = `COPY items (${ITEM_COLUMNS.join(", ")}) FROM STDIN (FORMAT binary)`;

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
  readonly #fields: FieldCopy;
  readonly #orderFields: FieldCopy | undefined;
  readonly #itemFields: FieldCopy | undefined;
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
    const { texts, fields, orders, items: itemEntries } = columns;
    this.#fields = new FieldCopy(events, texts, EVENT_STORED, fields);
    this.#orderFields = orders && new FieldCopy(events, texts, ORDER_STORED, orders.fields);
    this.#itemFields = itemEntries && new FieldCopy(items, texts, ITEM_STORED, itemEntries.fields);
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
    const isRepeat = order !== undefined && this.#found.repeats[order] === 1;
    const stage = isRepeat ? Stage.OTHER : columns.stages[row]!;
    if (!isSkipped) this.#encodeEvent(row, json, order, stage);
    for (let position = 0; columns.items?.row[this.#item] === row; this.#item++, position++) {
      if (isSkipped) continue;
      encodeItem(this.#items, columns, { row, position, stage, item: this.#item });
      this.#itemFields!.write(this.#item);
    }
  }

  #encodeEvent(row: number, json: string | undefined, order: number | undefined, stage: number): void {
    const events = this.#events;
    encodeBase(events, this.#columns, row, stage);
    this.#fields.write(row);
    for (const derived of this.#derived) derived.write(row);
    if (json === undefined) events.null();
    else events.jsonb(json);
    if (order === undefined) events.nulls(ORDER_COLUMNS.length);
    else {
      this.#orderFields!.write(order);
      encodeOrder(events, this.#columns.orders!, order, this.#found);
    }
  }
}

function encodeBase(to: CopyWriter, columns: EventColumns, row: number, stage: number): void {
  const { visitors, sessions } = columns;
  to.row(EVENT_COLUMNS.length);
  to.int4(columns.merchantIds[row]!);
  to.timestamp(columns.time.get(row));
  to.timestamp(columns.receivedTime.get(row));
  to.bytes(columns.eventIds, row * ID_BYTES, (row + 1) * ID_BYTES);
  to.int8Words(visitors[2 * row + 1]!, visitors[2 * row]!);
  to.int8Words(sessions[2 * row + 1]!, sessions[2 * row]!);
  to.int2(columns.processorVersion);
  to.bool(columns.isBot[row] === 1);
  to.int2(columns.timeQuality[row]!);
  to.bool(columns.inRollups?.[row] === 1);
  hash(to, columns.users, row);
  to.int2(stage);
}

/** A hash of two words, 0 for none. */
function hash(to: CopyWriter, words: Uint32Array | undefined, at: number): void {
  const [low, high] = [words?.[2 * at] ?? 0, words?.[2 * at + 1] ?? 0];
  if (low === 0 && high === 0) to.null();
  else to.int8Words(high, low);
}

function amount(to: CopyWriter, micros: bigint): void {
  if (micros === UNKNOWN_MICROS) to.null();
  else to.int8Exact(micros);
}

/** What is found out about an order, behind its fields. */
function encodeOrder(to: CopyWriter, orders: OrderEntries, at: number, { repeats, excess }: Found): void {
  const kind = repeats[at] === 1 ? REPEAT_OF[orders.kind[at]!]! : orders.kind[at]!;
  hash(to, orders.customers, at);
  to.int2(kind);
  const converted = orders.converted[at]!;
  const counts = kind === OrderKind.ORDER || kind === OrderKind.REFUND;
  if (!counts || converted === UNKNOWN_MICROS) to.null();
  else to.int8Exact(converted);
  if (kind !== OrderKind.REFUND || excess[at] === Excess.UNKNOWN) to.null();
  else to.bool(excess[at] === Excess.OVER);
  for (const part of ORDER_PARTS)
    amount(to, kind === OrderKind.ORDER ? orders.parts[part][at]! : UNKNOWN_MICROS);
}

/** What stands before an item's fields. */
function encodeItem(
  to: CopyWriter,
  columns: EventColumns,
  { row, item, position, stage }: { row: number; item: number; position: number; stage: number },
): void {
  const { visitors, sessions } = columns;
  to.row(ITEM_COLUMNS.length);
  to.int4(columns.merchantIds[row]!);
  to.timestamp(columns.time.get(row));
  to.bytes(columns.eventIds, row * ID_BYTES, (row + 1) * ID_BYTES);
  to.int2(position);
  to.bool(columns.inRollups?.[row] === 1);
  to.bool(columns.isBot[row] === 1);
  to.int8Words(visitors[2 * row + 1]!, visitors[2 * row]!);
  to.int8Words(sessions[2 * row + 1]!, sessions[2 * row]!);
  to.int2(stage);
  const counts = stage === Stage.ORDER || stage === Stage.REFUND;
  amount(to, counts ? columns.items!.revenue[item]! : UNKNOWN_MICROS);
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
    const { row: rows, key } = this.#entries;
    if (rows[this.#at] !== row) return undefined;
    let json = "{";
    for (; rows[this.#at] === row; this.#at++) {
      if (json.length > 1) json += ",";
      json += `${this.#quote(key[this.#at]!)}:${this.#value(this.#at)}`;
    }
    return `${json}}`;
  }

  /** The JSON of a property's value. */
  #value(at: number): string {
    const { kind, value, number } = this.#entries;
    const is = kind?.[at] ?? PropertyKind.TEXT;
    if (is === PropertyKind.TEXT) return this.#quote(value?.[at] ?? 0);
    if (is === PropertyKind.NUMBER) return String(number?.[at] ?? 0);
    return is === PropertyKind.TRUE ? "true" : "false";
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
