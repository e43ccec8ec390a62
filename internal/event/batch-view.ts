import {
  EVENT_FIELDS,
  type EventFields,
  type Fields,
  type ItemFields,
  type NameOf,
  type Narrow,
  type OrderFields,
  type Wide,
} from "../event-schema/fields.ts";
import { PropertyKind, type PropertyValue } from "../event-schema/property.ts";
import type { EventBatch, PropertyColumns } from "../gen/footfall/event/v1/batch_pb.js";
import { asF64, asI64, asMicros, asU16, asU32, type I64Column, type MicrosColumn } from "./columns.ts";
import { Dictionary } from "./dictionary.ts";
import { type EventIds, readEventIds } from "./event-ids.ts";

/** Fields of 32 bits, and the row that an entry belongs to. */
type SideName<F extends Fields> = NameOf<F, "text" | "u32" | "flag"> | "row";

/**
 * A checked batch for reading: each column as a typed array, made at its first use; a text column that is
 * absent is undefined. Nothing is checked again here: only pass what checkBatch let through.
 */
export class BatchView {
  readonly rows: number;
  readonly dictionary: Dictionary;
  readonly merchantIds: Uint32Array;
  readonly receivedTime: I64Column;
  readonly clientTime: I64Column;
  readonly #batchId: Uint8Array;
  readonly #batch: EventBatch;
  #ids: EventIds | undefined;

  constructor(batchId: Uint8Array, batch: EventBatch) {
    this.#batchId = batchId;
    this.#batch = batch;
    this.rows = batch.rows;
    this.dictionary = new Dictionary(batch.dictionaryEnds, batch.dictionary);
    this.merchantIds = asU32(batch.merchantId);
    this.receivedTime = asI64(batch.receivedTime);
    this.clientTime = asI64(batch.clientTime);
  }

  /** The rows' ids, made at their first use. */
  get ids(): EventIds {
    this.#ids ??= readEventIds(this.#batchId, this.#batch.eventId, this.rows);
    return this.#ids;
  }

  /** Dictionary indexes of a text column, or undefined when no row has one. */
  text(name: NameOf<EventFields, "text">): Uint32Array | undefined {
    return nonEmpty(this.#batch[name]);
  }

  /** When the requests were sent by their clients' clocks, 0 where unknown; undefined when no row tells. */
  get sentTime(): I64Column | undefined {
    const bytes = this.#batch.sentTime;
    return bytes.length === 0 ? undefined : asI64(bytes);
  }

  /** A column of numbers, 0 where absent; undefined when no row has one. */
  number(name: NameOf<EventFields, Narrow>): Uint16Array | Uint32Array | undefined {
    const bytes = this.#batch[name];
    if (bytes.length === 0) return undefined;
    return EVENT_FIELDS[name].kind === "u16" ? asU16(bytes) : asU32(bytes);
  }

  /** A u32 column of the properties, or undefined when it is absent. */
  property(
    name: Exclude<keyof PropertyColumns, "$typeName" | "$unknown" | "number">,
  ): Uint32Array | undefined {
    return nonEmpty(this.#batch.properties?.[name]);
  }

  /** The numbers of properties, one an entry; undefined when none is one. */
  get propertyNumber(): Float64Array | undefined {
    const bytes = this.#batch.properties?.number;
    return bytes === undefined || bytes.length === 0 ? undefined : asF64(bytes);
  }

  /** What a property is (PropertyKind says how it is told), by its place among them. */
  propertyValue(at: number): PropertyValue {
    const kind = this.property("kind")?.[at] ?? PropertyKind.TEXT;
    if (kind === PropertyKind.NUMBER) return this.propertyNumber?.[at] ?? 0;
    if (kind !== PropertyKind.TEXT) return kind === PropertyKind.TRUE;
    return this.dictionary.text(this.property("value")?.[at] ?? 0) ?? "";
  }

  order(name: SideName<OrderFields>): Uint32Array | undefined {
    return nonEmpty(this.#batch.orders?.[name]);
  }

  orderMicros(name: NameOf<OrderFields, Wide>): MicrosColumn | undefined {
    return micros(this.#batch.orders?.[name]);
  }

  item(name: SideName<ItemFields>): Uint32Array | undefined {
    return nonEmpty(this.#batch.items?.[name]);
  }

  itemMicros(name: NameOf<ItemFields, Wide>): MicrosColumn | undefined {
    return micros(this.#batch.items?.[name]);
  }
}

function micros(bytes: Uint8Array | undefined): MicrosColumn | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : asMicros(bytes);
}

function nonEmpty(bytes: Uint8Array | undefined): Uint32Array | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : asU32(bytes);
}
