import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type EventBatch, EventBatchSchema } from "../gen/footfall/event/v1/batch_pb.js";
import type { Event, Item, Order, Refund } from "../gen/footfall/event/v1/event_pb.js";
import { ONE_MICROS } from "./batch-limits.ts";
import { bytesOf, copyOf, I64Column, isUsed, setI64 } from "./columns.ts";
import { DictionaryBuilder } from "./dictionary-builder.ts";
import { ID_BYTES } from "./event-id.ts";
import { SideColumns } from "./side-columns.ts";
import { TEXT_COLUMNS } from "./text-columns.ts";

/** Version of the layout that this code writes and reads. */
export const BATCH_VERSION = 2;

/** Text columns of a row, by the name of the Event's field. */
export type TextName = (typeof TEXT_COLUMNS)[number];

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
  readonly properties = new SideColumns({ row: "u32", key: "u32", value: "u32" }, ["row", "key"]);
  readonly orders = new SideColumns(
    {
      row: "u32",
      id: "u32",
      revenueMicros: "micros",
      taxMicros: "micros",
      shippingMicros: "micros",
      discountMicros: "micros",
      currency: "u32",
      coupon: "u32",
      isRefund: "u32",
      refundId: "u32",
    },
    ["row", "id", "revenueMicros"],
  );
  readonly items = new SideColumns(
    {
      row: "u32",
      id: "u32",
      name: "u32",
      brand: "u32",
      category: "u32",
      variant: "u32",
      priceMicros: "micros",
      quantityMicros: "micros",
    },
    ["row", "id", "priceMicros", "quantityMicros"],
  );
  /** 16 bytes a row; zeros for an id that is derived from the batch's. */
  readonly eventIds: Uint8Array;
  /** Dictionary indexes of each text column. */
  readonly texts: Readonly<Record<TextName, Uint32Array>>;
  readonly screenWidth: Uint16Array;
  readonly screenHeight: Uint16Array;
  readonly #merchantId: Uint32Array;
  readonly #receivedTime: Uint32Array;
  readonly #clientTime: Uint32Array;
  readonly #sentTime: Uint32Array;
  /** What the committed rows have of the things that a row may have none or many of. */
  readonly #committed = { texts: 0, properties: 0, orders: 0, items: 0 };
  #rows = 0;

  /** @param capacity most rows of a batch, 1 to 65,536. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#merchantId = new Uint32Array(capacity);
    this.#receivedTime = new Uint32Array(2 * capacity);
    this.#clientTime = new Uint32Array(2 * capacity);
    this.#sentTime = new Uint32Array(2 * capacity);
    this.eventIds = new Uint8Array(ID_BYTES * capacity);
    const texts = TEXT_COLUMNS.map((name) => [name, new Uint32Array(capacity)]);
    this.texts = Object.fromEntries(texts) as Record<TextName, Uint32Array>;
    this.screenWidth = new Uint16Array(capacity);
    this.screenHeight = new Uint16Array(capacity);
  }

  /** Number of rows, which is the open row's own number. */
  get rows(): number {
    return this.#rows;
  }

  /** About how many bytes the batch takes before compression. */
  get byteLength(): number {
    const sides = this.properties.length * 12 + this.orders.length * 56 + this.items.length * 40;
    return this.dictionary.byteLength + this.#rows * 80 + sides;
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
    this.#merchantId[this.#rows++] = merchantId;
    this.#committed.texts = this.dictionary.size;
    this.#committed.properties = this.properties.length;
    this.#committed.orders = this.orders.length;
    this.#committed.items = this.items.length;
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
    for (const name of TEXT_COLUMNS) this.texts[name][row] = this.dictionary.add(event[name]);
    this.screenWidth[row] = event.screen?.width ?? 0;
    this.screenHeight[row] = event.screen?.height ?? 0;
    for (const name in event.properties) {
      const key = this.dictionary.add(name);
      this.properties.append({ row, key, value: this.dictionary.add(event.properties[name]!) });
    }
    this.#addOrder(event.order, event.refund);
    const { refund } = event;
    for (const item of refund?.items.length ? refund.items : event.items) this.#addItem(item);
    this.commit(merchantId);
  }

  /** What a refund leaves out is the order's. */
  #addOrder(order: Order | undefined, refund: Refund | undefined): void {
    if (order === undefined && refund === undefined) return;
    const text = (value: string | undefined) => this.dictionary.add(value ?? "");
    this.orders.append({
      row: this.#rows,
      id: text(refund?.orderId || order?.id),
      revenueMicros: refund?.amountMicros || (order?.revenueMicros ?? 0n),
      taxMicros: order?.taxMicros ?? 0n,
      shippingMicros: order?.shippingMicros ?? 0n,
      discountMicros: order?.discountMicros ?? 0n,
      currency: text(refund?.currency || order?.currency),
      coupon: text(order?.coupon),
      isRefund: refund === undefined ? 0 : 1,
      refundId: text(refund?.id),
    });
  }

  #addItem(item: Item): void {
    this.items.append({
      row: this.#rows,
      id: this.dictionary.add(item.id),
      name: this.dictionary.add(item.name),
      brand: this.dictionary.add(item.brand),
      category: this.dictionary.add(item.category),
      variant: this.dictionary.add(item.variant),
      priceMicros: item.priceMicros,
      quantityMicros: item.quantityMicros || ONE_MICROS,
    });
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
    for (const name of TEXT_COLUMNS) batch[name] = optional(this.texts[name]);
    batch.screenWidth = optional(this.screenWidth);
    batch.screenHeight = optional(this.screenHeight);
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
    for (const name of TEXT_COLUMNS) this.texts[name].fill(0, from, to);
    this.screenWidth.fill(0, from, to);
    this.screenHeight.fill(0, from, to);
  }
}
