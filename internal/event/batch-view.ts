import type {
  EventBatch,
  ItemColumns,
  OrderColumns,
  PropertyColumns,
} from "../gen/footfall/event/v1/batch_pb.js";
import { asI64, asU16, asU32, type I64Column } from "./columns.ts";
import { Dictionary } from "./dictionary.ts";
import { ID_BYTES, keyTime, writeDerivedId } from "./event-id.ts";

type SideNames<T> = Exclude<keyof T, "$typeName" | "$unknown">;

/**
 * A checked batch for reading: each column as a typed array, made at its first use; a text column that is
 * absent is undefined. Nothing is checked again here: only pass what checkBatch let through.
 */
export class BatchView {
  readonly rows: number;
  readonly dictionary: Dictionary;
  /** Each row's id of 16 bytes, derived ones included. */
  readonly eventIds: Uint8Array;
  /** What each id is looked up under (keyTime); NaN for a derived id, which needs no look-up. */
  readonly keyTimes: Float64Array;
  readonly merchantIds: Uint32Array;
  readonly receivedTime: I64Column;
  readonly clientTime: I64Column;
  readonly #batch: EventBatch;

  constructor(batchId: Uint8Array, batch: EventBatch) {
    this.#batch = batch;
    this.rows = batch.rows;
    this.dictionary = new Dictionary(batch.dictionaryEnds, batch.dictionary);
    this.merchantIds = asU32(batch.merchantId);
    this.receivedTime = asI64(batch.receivedTime);
    this.clientTime = asI64(batch.clientTime);
    this.keyTimes = new Float64Array(batch.rows).fill(Number.NaN);
    this.eventIds = this.#readIds(batchId);
  }

  /** Dictionary indexes of a text column, or undefined when no row has one. */
  text(
    name: "name" | "visitorId" | "sessionId" | "url" | "referrer" | "userAgent" | "ip" | "language",
  ): Uint32Array | undefined {
    return nonEmpty(this.#batch[name]);
  }

  get screenWidth(): Uint16Array | undefined {
    const bytes = this.#batch.screenWidth;
    return bytes.length === 0 ? undefined : asU16(bytes);
  }

  get screenHeight(): Uint16Array | undefined {
    const bytes = this.#batch.screenHeight;
    return bytes.length === 0 ? undefined : asU16(bytes);
  }

  /** A u32 column of the properties, or undefined when it is absent. */
  property(name: SideNames<PropertyColumns>): Uint32Array | undefined {
    return nonEmpty(this.#batch.properties?.[name]);
  }

  order(name: "row" | "id" | "currency" | "coupon"): Uint32Array | undefined {
    return nonEmpty(this.#batch.orders?.[name]);
  }

  orderMicros(
    name: Exclude<SideNames<OrderColumns>, "row" | "id" | "currency" | "coupon">,
  ): I64Column | undefined {
    const bytes = this.#batch.orders?.[name];
    return bytes === undefined || bytes.length === 0 ? undefined : asI64(bytes);
  }

  item(name: Exclude<SideNames<ItemColumns>, "priceMicros">): Uint32Array | undefined {
    return nonEmpty(this.#batch.items?.[name]);
  }

  get itemPriceMicros(): I64Column | undefined {
    const bytes = this.#batch.items?.priceMicros;
    return bytes === undefined || bytes.length === 0 ? undefined : asI64(bytes);
  }

  #readIds(batchId: Uint8Array): Uint8Array {
    const given = this.#batch.eventId;
    // A copy: the message's own bytes may be passed on.
    const ids = given.length === 0 ? new Uint8Array(ID_BYTES * this.rows) : Uint8Array.from(given);
    for (let row = 0; row < this.rows; row++) {
      const at = row * ID_BYTES;
      if (given.length !== 0 && !isZero(ids, at)) this.keyTimes[row] = keyTime(ids, at);
      else writeDerivedId(batchId, row, ids, at);
    }
    return ids;
  }
}

function nonEmpty(bytes: Uint8Array | undefined): Uint32Array | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : asU32(bytes);
}

function isZero(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + ID_BYTES; i++) if (bytes[i] !== 0) return false;
  return true;
}
