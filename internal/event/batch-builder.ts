import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  EVENT_FIELDS,
  type EventFields,
  fieldList,
  ITEM_FIELDS,
  type NameOf,
  type Narrow,
  namesOf,
  ORDER_FIELDS,
} from "../event-schema/fields.ts";
import { PropertyKind, type PropertyValue } from "../event-schema/property.ts";
import { type EventBatch, EventBatchSchema } from "../gen/footfall/event/v1/batch_pb.js";
import type { Event, Item, Order, Refund } from "../gen/footfall/event/v1/event_pb.js";
import { ONE_MICROS } from "./batch-limits.ts";
import { bytesOf, copyOf, I64Column, isUsed, numberBits, setI64 } from "./columns.ts";
import { DictionaryBuilder } from "./dictionary-builder.ts";
import { ID_BYTES } from "./event-id.ts";
import { emptyEntry, SideColumns } from "./side-columns.ts";

/** Version of the layout that this code writes and reads. */
export const BATCH_VERSION = 2;

/** The text columns of a row, by the name of the Event's field. */
export const TEXT_NAMES = namesOf(EVENT_FIELDS, "text");
export type TextName = NameOf<EventFields, "text">;

/** Likewise those of numbers, 0 for absent. */
export const NUMBER_NAMES = namesOf(EVENT_FIELDS, "u16", "u32", "flag");
export type NumberName = NameOf<EventFields, Narrow>;

const ORDER_LIST = fieldList(ORDER_FIELDS);
const ITEM_LIST = fieldList(ITEM_FIELDS);

/** Of merchant, three times and id, each row. */
const LEAST_ROW_BYTES = 4 + 3 * 8 + ID_BYTES;

/** Fields of a message. */
type Values = Readonly<Record<string, unknown>>;

/** A checked event and what the collector knows of it. Times are ms since 1970-01-01 UTC. */
export interface Row {
  readonly merchantId: number;
  readonly event: Event;
  /** 16 bytes, or undefined to derive the id from the batch and the row. */
  readonly eventId: Uint8Array | undefined;
  readonly receivedTime: number;
  readonly clientTime: number;
  /** 0 when the request did not tell. */
  readonly sentTime: number;
}

/**
 * Turns rows into an EventBatch. Its arrays are kept and used again for the next batch.
 *
 * Behind the rows is the open one: its values are written to the columns one by one, then it is committed, or
 * discarded without a trace. Its times must be set; what else is not written is absent.
 */
export class BatchBuilder {
  readonly capacity: number;
  readonly dictionary = new DictionaryBuilder();
  readonly properties = new SideColumns({
    key: { kind: "text", isRequired: true },
    value: { kind: "text" },
    kind: { kind: "u32" },
    // The words of a double.
    number: { kind: "micros" },
  });
  readonly orders = new SideColumns(ORDER_FIELDS);
  readonly items = new SideColumns(ITEM_FIELDS);
  /** 16 bytes a row; zeros for an id that is derived from the batch's. */
  readonly eventIds: Uint8Array;
  /** Dictionary indexes of each text column. */
  readonly texts: Readonly<Record<TextName, Uint32Array>>;
  readonly numbers: Readonly<Record<NumberName, Uint16Array | Uint32Array>>;
  readonly #merchantId: Uint32Array;
  readonly #receivedTime: Uint32Array;
  readonly #clientTime: Uint32Array;
  readonly #sentTime: Uint32Array;
  /** Entries that are filled again and again. */
  readonly #order = emptyEntry(ORDER_FIELDS);
  readonly #item = emptyEntry(ITEM_FIELDS);
  /** What the committed rows have of the things that a row may have none or many of. */
  readonly #committed = { texts: 0, properties: 0, orders: 0, items: 0 };
  /** Optional columns that no committed row has used: they are not written. */
  #unused: (Uint16Array | Uint32Array)[] = [];
  /** Of a row in the columns that are written. */
  #rowBytes = LEAST_ROW_BYTES;
  #rows = 0;

  /** @param capacity most rows of a batch, 1 to 65,536. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#merchantId = new Uint32Array(capacity);
    this.#receivedTime = new Uint32Array(2 * capacity);
    this.#clientTime = new Uint32Array(2 * capacity);
    this.#sentTime = new Uint32Array(2 * capacity);
    this.eventIds = new Uint8Array(ID_BYTES * capacity);
    this.texts = recordOf(TEXT_NAMES, () => new Uint32Array(capacity));
    this.numbers = recordOf(NUMBER_NAMES, (name) =>
      EVENT_FIELDS[name].kind === "u16" ? new Uint16Array(capacity) : new Uint32Array(capacity),
    );
    this.#unuse();
  }

  /** Number of rows, which is the open row's own number. */
  get rows(): number {
    return this.#rows;
  }

  /** About how many bytes the batch takes before compression. */
  get byteLength(): number {
    const sides = this.properties.length * 24 + this.orders.length * 76 + this.items.length * 72;
    return this.dictionary.byteLength + this.#rows * this.#rowBytes + sides;
  }

  /** Whether the open row has an id of its own. */
  get hasEventId(): boolean {
    const at = this.#rows * ID_BYTES;
    for (let i = 0; i < ID_BYTES; i++) if (this.eventIds[at + i] !== 0) return true;
    return false;
  }

  /** When the open row happened by the client's clock, once its times are set: ms since 1970-01-01 UTC. */
  get clientTime(): number {
    return new I64Column(this.#clientTime).get(this.#rows);
  }

  /** Sets the times of the open row, ms since 1970-01-01 UTC. @param sent 0 when it is not known. */
  setTimes(received: number, client: number, sent: number): void {
    setI64(this.#receivedTime, this.#rows, received);
    setI64(this.#clientTime, this.#rows, client);
    setI64(this.#sentTime, this.#rows, sent);
  }

  /** Makes the open row one of the batch's. The builder must not have been full. */
  commit(merchantId: number): void {
    this.#noteUsed(this.#rows);
    this.#merchantId[this.#rows++] = merchantId;
    this.#committed.texts = this.dictionary.size;
    this.#committed.properties = this.properties.length;
    this.#committed.orders = this.orders.length;
    this.#committed.items = this.items.length;
  }

  #noteUsed(row: number): void {
    const unused = this.#unused;
    for (let at = unused.length - 1; at >= 0; at--) {
      const column = unused[at]!;
      if (column[row] === 0) continue;
      this.#rowBytes += column.BYTES_PER_ELEMENT;
      unused[at] = unused.at(-1)!;
      unused.pop();
    }
  }

  #unuse(): void {
    this.#unused = [...Object.values(this.texts), ...Object.values(this.numbers)];
    this.#rowBytes = LEAST_ROW_BYTES;
  }

  /** Takes back all that was written to the open row, the dictionary's new texts included. */
  discard(): void {
    this.#clearRows(this.#rows, this.#rows + 1);
    this.dictionary.truncate(this.#committed.texts);
    this.properties.truncate(this.#committed.properties);
    this.orders.truncate(this.#committed.orders);
    this.items.truncate(this.#committed.items);
  }

  /** Appends a row that is at hand as a message. The builder must not be full. */
  add({ event, eventId, receivedTime, clientTime, sentTime, merchantId }: Row): void {
    const row = this.#rows;
    this.setTimes(receivedTime, clientTime, sentTime);
    if (eventId !== undefined) this.eventIds.set(eventId, row * ID_BYTES);
    for (const name of TEXT_NAMES) this.texts[name][row] = this.dictionary.add(event[name]);
    const numbers = numbersOf(event);
    for (const name of NUMBER_NAMES) this.numbers[name][row] = numbers[name];
    for (const name in event.properties) {
      const { kind } = event.properties[name]!;
      if (kind.value !== undefined) this.addProperty(row, name, kind.value);
    }
    this.#addOrder(event.order, event.refund);
    const { refund } = event;
    for (const item of refund?.items.length ? refund.items : event.items) this.#addItem(item);
    this.commit(merchantId);
  }

  /** Appends a property of a row. */
  addProperty(row: number, name: string, value: PropertyValue): void {
    const isText = typeof value === "string";
    const entry = { row, key: this.dictionary.add(name), value: 0, kind: 0, number: 0n };
    if (isText) entry.value = this.dictionary.add(value);
    else if (typeof value === "boolean") entry.kind = value ? PropertyKind.TRUE : PropertyKind.FALSE;
    else {
      entry.kind = PropertyKind.NUMBER;
      entry.number = numberBits(value);
    }
    this.properties.append(entry);
  }

  /** What a refund leaves out is the order's. */
  #addOrder(order: Order | undefined, refund: Refund | undefined): void {
    if (order === undefined && refund === undefined) return;
    const values = {
      ...order,
      ...(refund !== undefined && {
        isRefund: 1,
        refundId: refund.id,
        id: refund.orderId || order?.id,
        revenueMicros: refund.amountMicros || order?.revenueMicros,
        currency: refund.currency || order?.currency,
      }),
    };
    this.orders.append(this.#fill(this.#order, ORDER_LIST, values));
  }

  #addItem(item: Item): void {
    const entry = this.#fill(this.#item, ITEM_LIST, item as unknown as Values);
    entry.quantityMicros ||= ONE_MICROS;
    this.items.append(entry);
  }

  /** Fills an entry with values for the open row; what they do not have is absent. */
  #fill<E extends { row: number }>(
    entry: E,
    fields: typeof ITEM_LIST | typeof ORDER_LIST,
    values: Values,
  ): E {
    const target = entry as Record<string, unknown>;
    for (const { name, kind } of fields) {
      const value = values[name];
      if (kind === "text") target[name] = this.dictionary.add((value as string | undefined) ?? "");
      else if (kind === "known") target[name] = knownOf(value as bigint | undefined);
      else target[name] = value ?? (kind === "micros" ? 0n : 0);
    }
    entry.row = this.#rows;
    return entry;
  }

  /** The batch of all rows committed since the last take; the builder is empty afterwards. */
  take(): EventBatch {
    const rows = this.#rows;
    const batch: MessageInitShape<typeof EventBatchSchema> = { version: BATCH_VERSION, rows };
    const { dictionary, dictionaryEnds } = this.dictionary.columns();
    batch.dictionary = copyOf(dictionary);
    batch.dictionaryEnds = copyOf(dictionaryEnds);
    batch.merchantId = copyOf(bytesOf(this.#merchantId, rows));
    batch.receivedTime = copyOf(bytesOf(this.#receivedTime, 2 * rows));
    batch.clientTime = copyOf(bytesOf(this.#clientTime, 2 * rows));
    const optional = (column: Uint32Array | Uint16Array, values = rows) =>
      isUsed(column, values) ? copyOf(bytesOf(column, values)) : new Uint8Array();
    batch.sentTime = optional(this.#sentTime, 2 * rows);
    batch.eventId = optional(new Uint32Array(this.eventIds.buffer), (ID_BYTES / 4) * rows);
    for (const name of TEXT_NAMES) batch[name] = optional(this.texts[name]);
    for (const name of NUMBER_NAMES) batch[name] = optional(this.numbers[name]);
    Object.assign(batch, {
      properties: this.properties.take(),
      orders: this.orders.take(),
      items: this.items.take(),
    });
    this.#reset(rows);
    return create(EventBatchSchema, batch);
  }

  #reset(rows: number): void {
    this.#clearRows(0, rows);
    this.#unuse();
    this.dictionary.clear();
    this.#committed.texts = 0;
    this.#committed.properties = 0;
    this.#committed.orders = 0;
    this.#committed.items = 0;
    this.#rows = 0;
  }

  /** What a row does not set must read as absent. */
  #clearRows(from: number, to: number): void {
    this.eventIds.fill(0, from * ID_BYTES, to * ID_BYTES);
    for (const name of TEXT_NAMES) this.texts[name].fill(0, from, to);
    for (const name of NUMBER_NAMES) this.numbers[name].fill(0, from, to);
  }
}

function recordOf<N extends string, T>(names: readonly N[], make: (name: N) => T): Record<N, T> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<N, T>;
}

/** Where an event's message has what stands in the columns of numbers. */
function numbersOf({ screen, engagement, consent, passive }: Event): Record<NumberName, number> {
  return {
    screenWidth: screen?.width ?? 0,
    screenHeight: screen?.height ?? 0,
    activeMs: engagement?.activeMs ?? 0,
    scrollPercent: engagement?.scrollPercent ?? 0,
    consent,
    passive: passive ? 1 : 0,
  };
}

/** Micros as columns of the kind `known` hold them. */
export function knownOf(micros: bigint | undefined): bigint {
  return micros === undefined ? 0n : micros + 1n;
}
