import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type EventBatch, EventBatchSchema } from "../gen/footfall/event/v1/batch_pb.js";
import type { Event, Item, Order } from "../gen/footfall/event/v1/event_pb.js";
import { bytesOf, copyOf, setI64 } from "./columns.ts";
import { DictionaryBuilder } from "./dictionary.ts";
import { ID_BYTES } from "./event-id.ts";
import { SideColumns } from "./side-columns.ts";

/** Version of the layout that this code writes and reads. */
export const BATCH_VERSION = 1;

/** Text columns of a row, by the name of the Event's field. */
const TEXTS = ["name", "visitorId", "sessionId", "url", "referrer", "userAgent", "ip", "language"] as const;
type TextName = (typeof TEXTS)[number];

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

/** Turns rows into an EventBatch. Its arrays are kept and used again for the next batch. */
export class BatchBuilder {
  readonly capacity: number;
  readonly #dictionary = new DictionaryBuilder();
  readonly #merchantId: Uint32Array;
  readonly #receivedTime: Uint32Array;
  readonly #clientTime: Uint32Array;
  readonly #sentTime: Uint32Array;
  readonly #eventId: Uint8Array;
  readonly #texts: Record<TextName, Uint32Array>;
  readonly #width: Uint16Array;
  readonly #height: Uint16Array;
  /** Optional columns in which at least one row has a value. */
  readonly #used = new Set<string>();
  readonly #properties = new SideColumns({ row: "u32", key: "u32", value: "u32" }, ["row", "key"]);
  readonly #orders = new SideColumns(
    {
      row: "u32",
      id: "u32",
      revenueMicros: "i64",
      taxMicros: "i64",
      shippingMicros: "i64",
      discountMicros: "i64",
      currency: "u32",
      coupon: "u32",
    },
    ["row", "id", "revenueMicros"],
  );
  readonly #items = new SideColumns(
    {
      row: "u32",
      id: "u32",
      name: "u32",
      brand: "u32",
      category: "u32",
      variant: "u32",
      priceMicros: "i64",
      quantity: "u32",
    },
    ["row", "id", "priceMicros", "quantity"],
  );
  #rows = 0;

  /** @param capacity most rows of a batch, 1 to 65,536. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#merchantId = new Uint32Array(capacity);
    this.#receivedTime = new Uint32Array(2 * capacity);
    this.#clientTime = new Uint32Array(2 * capacity);
    this.#sentTime = new Uint32Array(2 * capacity);
    this.#eventId = new Uint8Array(ID_BYTES * capacity);
    this.#texts = Object.fromEntries(TEXTS.map((name) => [name, new Uint32Array(capacity)])) as Record<
      TextName,
      Uint32Array
    >;
    this.#width = new Uint16Array(capacity);
    this.#height = new Uint16Array(capacity);
  }

  get rows(): number {
    return this.#rows;
  }

  /** About how many bytes the batch takes before compression. */
  get byteLength(): number {
    const sides = this.#properties.length * 12 + this.#orders.length * 48 + this.#items.length * 36;
    return this.#dictionary.byteLength + this.#rows * 80 + sides;
  }

  /** Appends a row. The builder must not be full. */
  add(row: Row): void {
    const at = this.#rows++;
    this.#merchantId[at] = row.merchantId;
    setI64(this.#receivedTime, at, row.receivedTime);
    setI64(this.#clientTime, at, row.clientTime);
    if (row.sentTime !== 0) this.#used.add("sentTime");
    setI64(this.#sentTime, at, row.sentTime);
    if (row.eventId !== undefined) {
      this.#used.add("eventId");
      this.#eventId.set(row.eventId, at * ID_BYTES);
    }
    for (const name of TEXTS) this.#text(name, at, row.event[name]);
    const { screen, order } = row.event;
    if (screen !== undefined) {
      this.#used.add("screen");
      this.#width[at] = screen.width;
      this.#height[at] = screen.height;
    }
    for (const key in row.event.properties) this.#property(at, key, row.event.properties[key]!);
    if (order !== undefined) this.#order(at, order);
    for (const item of row.event.items) this.#item(at, item);
  }

  /** The batch of all rows added since the last take; the builder is empty afterwards. */
  take(): EventBatch {
    const rows = this.#rows;
    const batch: MessageInitShape<typeof EventBatchSchema> = { version: BATCH_VERSION, rows };
    const { dictionary, dictionaryEnds } = this.#dictionary.columns();
    batch.dictionary = copyOf(dictionary);
    batch.dictionaryEnds = copyOf(dictionaryEnds);
    batch.merchantId = copyOf(bytesOf(this.#merchantId, rows));
    batch.receivedTime = copyOf(bytesOf(this.#receivedTime, 2 * rows));
    batch.clientTime = copyOf(bytesOf(this.#clientTime, 2 * rows));
    if (this.#used.has("sentTime")) batch.sentTime = copyOf(bytesOf(this.#sentTime, 2 * rows));
    if (this.#used.has("eventId")) batch.eventId = this.#eventId.slice(0, ID_BYTES * rows);
    for (const name of TEXTS) {
      if (this.#used.has(name)) batch[name] = copyOf(bytesOf(this.#texts[name], rows));
    }
    if (this.#used.has("screen")) {
      batch.screenWidth = copyOf(bytesOf(this.#width, rows));
      batch.screenHeight = copyOf(bytesOf(this.#height, rows));
    }
    Object.assign(batch, {
      properties: this.#properties.take(),
      orders: this.#orders.take(),
      items: this.#items.take(),
    });
    this.#reset(rows);
    return create(EventBatchSchema, batch);
  }

  #text(name: TextName, at: number, text: string): void {
    if (text === "") return;
    this.#used.add(name);
    this.#texts[name][at] = this.#dictionary.add(text);
  }

  #property(row: number, key: string, value: string): void {
    this.#properties.append({ row, key: this.#dictionary.add(key), value: this.#dictionary.add(value) });
  }

  #order(row: number, order: Order): void {
    this.#orders.append({
      row,
      id: this.#dictionary.add(order.id),
      revenueMicros: Number(order.revenueMicros),
      taxMicros: Number(order.taxMicros),
      shippingMicros: Number(order.shippingMicros),
      discountMicros: Number(order.discountMicros),
      currency: this.#dictionary.add(order.currency),
      coupon: this.#dictionary.add(order.coupon),
    });
  }

  #item(row: number, item: Item): void {
    this.#items.append({
      row,
      id: this.#dictionary.add(item.id),
      name: this.#dictionary.add(item.name),
      brand: this.#dictionary.add(item.brand),
      category: this.#dictionary.add(item.category),
      variant: this.#dictionary.add(item.variant),
      priceMicros: Number(item.priceMicros),
      quantity: item.quantity || 1,
    });
  }

  /** Optional columns must read as absent in rows that do not set them. */
  #reset(rows: number): void {
    this.#dictionary.clear();
    this.#eventId.fill(0, 0, ID_BYTES * rows);
    for (const name of TEXTS) this.#texts[name].fill(0, 0, rows);
    this.#width.fill(0, 0, rows);
    this.#height.fill(0, 0, rows);
    this.#used.clear();
    this.#rows = 0;
  }
}
