import { randomUUID } from "node:crypto";
import {
  EVENT_FIELDS,
  type EventFields,
  type Field,
  type Fields,
  ITEM_FIELDS,
  type ItemFields,
  type NameOf,
  ORDER_FIELDS,
  type OrderFields,
  type Wide,
} from "../../internal/event-schema/fields.ts";
import { PropertyKind, type PropertyValue } from "../../internal/event-schema/property.ts";
import {
  BOT_COLUMNS,
  DEVICE_COLUMNS,
  type DerivedTexts,
  type EventColumns,
  type FieldValues,
  type Int64Values,
  type MicrosValues,
  OrderKind,
  PAGE_COLUMNS,
  PLACE_COLUMNS,
  SOURCE_COLUMNS,
  Stage,
  type TextIndexes,
  UNKNOWN_MICROS,
} from "../../internal/store/event-columns.ts";
import { type StoredField, storedFields } from "../../internal/store/field-copy.ts";

/** Columns whose texts are derived. */
export type DerivedColumn =
  | (typeof BOT_COLUMNS)[number]
  | (typeof DEVICE_COLUMNS)[number]
  | (typeof PLACE_COLUMNS)[number]
  | (typeof SOURCE_COLUMNS)[number]
  | (typeof PAGE_COLUMNS)[number];

export const DERIVED_COLUMNS: readonly DerivedColumn[] = [
  ...BOT_COLUMNS,
  ...DEVICE_COLUMNS,
  ...PLACE_COLUMNS,
  ...SOURCE_COLUMNS,
  ...PAGE_COLUMNS,
];

/** An event as its row of `events` and its rows of `items` read in SQL. Times are ms since 1970-01-01 UTC. */
export interface EventRow extends Readonly<Record<DerivedColumn, string | null>>, StoredValues<EventFields> {
  readonly merchant_id: number;
  readonly ts: number;
  readonly received_at: number;
  /** As a UUID is written. */
  readonly event_id: string;
  /** Whether the event came without an id, so that it was derived from the batch's. Default: no. */
  readonly hasDerivedId?: boolean;
  readonly visitor_id: bigint;
  /** Who a visitor without an id is on the days before and after; absent in SQL. */
  readonly visitor_before?: bigint;
  readonly visitor_after?: bigint;
  /** 0: the SDK named none; it is found as the row is stored. */
  readonly session_id: bigint;
  readonly processor_version: number;
  /** Default: none. */
  readonly user_id?: bigint | null;
  /** As given to storage, which makes 0 of what has counted before. Default: 0, of an order 5, of a refund 6. */
  readonly stage?: number;
  readonly is_bot: boolean;
  readonly time_quality: number;
  readonly in_rollups: boolean;
  readonly properties: Readonly<Record<string, PropertyValue>> | null;
  readonly order: OrderRow | null;
  readonly items: readonly ItemRow[];
}

/** An order's field without its unit: `revenue` for revenueMicros. */
type OrderName<N extends string> = N extends `${infer Amount}Micros` ? Amount : N;

/** The columns order_... of an event, most by the names of ORDER_FIELDS. Amounts are micros; what is left out is absent. */
export type OrderRow = {
  readonly [N in NameOf<OrderFields, "text"> as Exclude<N, "id">]?: string | null;
} & {
  readonly [N in NameOf<OrderFields, Wide> as OrderName<N>]?: number | bigint | null;
} & {
  readonly id: string;
  readonly revenue: number | bigint;
  /** As given to storage, which makes repeats of orders that it knows. Default: an order. */
  readonly kind?: number;
  /** Whether the currency is another one than the merchant's. Default: where there is one. */
  readonly isForeign?: boolean;
  /** The customer's hash. Default: none. */
  readonly customer?: bigint | null;
  /** Its parts in the merchant's currency. Default: not known. */
  readonly taxConverted?: bigint | null;
  readonly shippingConverted?: bigint | null;
  readonly discountConverted?: bigint | null;
  readonly costConverted?: bigint | null;
  /** In the merchant's currency; null where it was not converted. */
  readonly converted: number | bigint | null;
};

/** What only lists and promotions tell may be left out. */
export interface ItemRow extends Partial<StoredValues<ItemFields>> {
  readonly item_id: string;
  readonly price_micros: number | bigint;
  readonly quantity_micros: number | bigint;
  /** In the merchant's currency; null where it was not converted. Default: null. */
  readonly revenue_micros?: bigint | null;
}

/** What a field's column in SQL gives: null where it is absent. */
type StoredValue<F extends Field> =
  | {
      text: string;
      u16: number;
      u32: number;
      flag: boolean;
      micros: number | bigint;
      known: number | bigint;
    }[F["kind"]]
  | (F extends { isRequired: true } | { kind: "flag" | "micros" } ? never : null);

/** The values of those fields that are stored, by their columns. */
type StoredValues<F extends Fields> = {
  readonly [N in keyof F as F[N] extends { sql: `${infer Column} ${string}` } ? Column : never]: StoredValue<
    F[N]
  >;
};

const NOT_DERIVED = Object.fromEntries(DERIVED_COLUMNS.map((column) => [column, null])) as Record<
  DerivedColumn,
  null
>;

const PLAIN: Omit<EventRow, "event_id"> = {
  ...NOT_DERIVED,
  merchant_id: 1,
  ts: Date.UTC(2026, 2, 1),
  received_at: Date.UTC(2026, 2, 1),
  visitor_id: 1n,
  session_id: 1n,
  processor_version: 1,
  ...absentFields(EVENT_FIELDS),
  name: "page_view",
  is_bot: false,
  time_quality: 0,
  in_rollups: false,
  properties: null,
  order: null,
  items: [],
};

/** What columns of a table hold where all of its fields are absent. */
function absentFields<F extends Fields>(fields: F): StoredValues<F> {
  const absent = { text: null, u16: null, u32: null, flag: false, micros: 0n, known: null };
  const values = storedFields(fields).map(({ column, kind }) => [column, absent[kind]]);
  return Object.fromEntries(values) as StoredValues<F>;
}

/** A page view with the given fields, a new id, and all optional fields absent. */
export function eventRow(fields: Partial<EventRow> = {}): EventRow {
  return { ...PLAIN, event_id: randomUUID(), ...fields };
}

/** Rows in the form in which storage takes them. */
export function eventColumns(rows: readonly EventRow[]): EventColumns {
  const dictionary = new Map<string, number>();
  const index = (text: string | null) => {
    if (text === null || text === "") return 0;
    if (!dictionary.has(text)) dictionary.set(text, dictionary.size + 1);
    return dictionary.get(text)!;
  };
  const texts = <T>(from: readonly T[], read: (row: T) => string | null) =>
    Uint32Array.from(from, (row) => index(read(row)));
  const columns = { ...baseColumns(rows, texts), ...sideColumns(rows, texts) };
  const entries = [...dictionary.keys()];
  const end = (at: number) => Buffer.byteLength(entries.slice(0, at).join(""));
  return {
    ...columns,
    texts: {
      source: Buffer.from(entries.join("")),
      start: (at) => end(at - 1),
      end,
      text: (at) => (at === 0 ? undefined : entries[at - 1]),
    },
  };
}

type Texts = <T>(from: readonly T[], read: (row: T) => string | null) => Uint32Array;

function baseColumns(rows: readonly EventRow[], texts: Texts) {
  return {
    rows: rows.length,
    merchantIds: Uint32Array.from(rows, (row) => row.merchant_id),
    time: int64(rows.map((row) => row.ts)),
    receivedTime: int64(rows.map((row) => row.received_at)),
    eventIds: Buffer.from(rows.map((row) => row.event_id.replaceAll("-", "")).join(""), "hex"),
    keyTimes: Float64Array.from(rows, (row) => (row.hasDerivedId ? Number.NaN : keyTimeOf(row.event_id))),
    visitors: words(rows.map((row) => row.visitor_id)),
    users: words(rows.map((row) => row.user_id ?? 0n)),
    stages: Uint8Array.from(rows, stageOf),
    visitorsBefore: words(rows.map((row) => row.visitor_before ?? 0n)),
    visitorsAfter: words(rows.map((row) => row.visitor_after ?? 0n)),
    sessions: words(rows.map((row) => row.session_id)),
    sessionless: Uint8Array.from(rows, (row) => (row.session_id === 0n ? 1 : 0)),
    processorVersion: rows[0]?.processor_version ?? 1,
    fields: fieldsOf(EVENT_FIELDS, rows, texts, (row, { column }) => row[column as "name"]),
    isBot: Uint8Array.from(rows, (row) => Number(row.is_bot)),
    timeQuality: Uint8Array.from(rows, (row) => row.time_quality),
    inRollups: Uint8Array.from(rows, (row) => Number(row.in_rollups)),
    bot: derived(rows, BOT_COLUMNS),
    device: derived(rows, DEVICE_COLUMNS),
    place: derived(rows, PLACE_COLUMNS),
    source: derived(rows, SOURCE_COLUMNS),
    page: derived(rows, PAGE_COLUMNS),
  };
}

function sideColumns(rows: readonly EventRow[], texts: Texts) {
  const all = rows.flatMap((row, at) => Object.entries(row.properties ?? {}).map((entry) => ({ at, entry })));
  const orders = rows.flatMap(({ order }, at) => (order === null ? [] : [{ at, ...order }]));
  const items = rows.flatMap((row, at) => row.items.map((item) => ({ at, ...item })));
  return {
    properties: {
      row: Uint32Array.from(all, ({ at }) => at),
      key: texts(all, ({ entry }) => entry[0]),
      value: texts(all, ({ entry }) => (typeof entry[1] === "string" ? entry[1] : null)),
      kind: Uint32Array.from(all, ({ entry }) => propertyKind(entry[1])),
      number: Float64Array.from(all, ({ entry }) => (typeof entry[1] === "number" ? entry[1] : 0)),
    },
    orders: {
      row: Uint32Array.from(orders, ({ at }) => at),
      fields: fieldsOf(
        ORDER_FIELDS,
        orders,
        texts,
        (order, { name }) => order[name.replace(/Micros$/, "") as "id"],
      ),
      customers: words(orders.map(({ customer }) => customer ?? 0n)),
      parts: {
        tax: amounts(orders.map(({ taxConverted }) => taxConverted)),
        shipping: amounts(orders.map(({ shippingConverted }) => shippingConverted)),
        discount: amounts(orders.map(({ discountConverted }) => discountConverted)),
        cost: amounts(orders.map(({ costConverted }) => costConverted)),
      },
      kind: Uint8Array.from(orders, ({ kind }) => kind ?? OrderKind.ORDER),
      isForeign: Uint8Array.from(orders, ({ isForeign, currency }) => Number(isForeign ?? currency !== null)),
      converted: BigInt64Array.from(orders, ({ converted }) =>
        converted === null ? UNKNOWN_MICROS : BigInt(converted),
      ),
    },
    items: {
      row: Uint32Array.from(items, ({ at }) => at),
      revenue: amounts(items.map(({ revenue_micros }) => revenue_micros)),
      fields: fieldsOf(ITEM_FIELDS, items, texts, (item, { column }) => item[column as "name"]),
    },
  };
}

/** The columns of a table's stored fields. */
function fieldsOf<F extends Fields, T>(
  fields: F,
  from: readonly T[],
  texts: Texts,
  read: (of: T, field: StoredField) => unknown,
): FieldValues<F> {
  const columns = storedFields(fields).map((field) => {
    const { name, kind } = field;
    if (kind === "text") {
      const indexes = texts(from, (one) => (read(one, field) ?? null) as string | null);
      return [name, fields[name]?.isRequired === true ? indexes : optional(indexes)];
    }
    if (kind === "known") {
      const stored = from.map((one) => read(one, field) as number | bigint | null | undefined);
      return [name, micros(stored.map((value) => (value == null ? 0n : BigInt(value) + 1n)))];
    }
    if (kind === "micros") return [name, micros(from.map((one) => (read(one, field) ?? 0n) as bigint))];
    return [name, Uint32Array.from(from, (one) => Number(read(one, field) ?? 0))];
  });
  return Object.fromEntries(columns) as FieldValues<F>;
}

function amounts(values: readonly (bigint | null | undefined)[]): BigInt64Array {
  return BigInt64Array.from(values, (value) => value ?? UNKNOWN_MICROS);
}

function stageOf({ stage, order }: EventRow): number {
  if (stage !== undefined || order === null) return stage ?? Stage.OTHER;
  const kind = order.kind ?? OrderKind.ORDER;
  if (kind === OrderKind.MENTIONED) return Stage.OTHER;
  return kind === OrderKind.REFUND ? Stage.REFUND : Stage.ORDER;
}

function propertyKind(value: PropertyValue): number {
  if (typeof value === "boolean") return value ? PropertyKind.TRUE : PropertyKind.FALSE;
  return typeof value === "number" ? PropertyKind.NUMBER : PropertyKind.TEXT;
}

/** Rows with equal texts share a key; those of rows without any have none. */
function derived(rows: readonly EventRow[], columns: readonly DerivedColumn[]): DerivedTexts {
  const keys = new Map<string, number>();
  const texts: (readonly (string | null)[] | undefined)[] = [undefined];
  const keyOf = (row: EventRow) => {
    const own = columns.map((column) => row[column]);
    if (own.every((text) => text === null)) return 0;
    const json = JSON.stringify(own);
    if (!keys.has(json)) keys.set(json, texts.push(own) - 1);
    return keys.get(json)!;
  };
  return { keys: Uint32Array.from(rows, keyOf), texts };
}

/** The time that an id is looked up under, as EventColumns asks: that inside a UUIDv7 of 2020 to 2049, else 0. */
function keyTimeOf(id: string): number {
  const time = id[14] === "7" ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : 0;
  return time >= Date.UTC(2020, 0) && time < Date.UTC(2050, 0) ? time : 0;
}

function int64(values: readonly number[]): Int64Values {
  return { length: values.length, get: (at) => values[at]! };
}

function micros(values: readonly (number | bigint)[]): MicrosValues {
  return { length: values.length, get: (at) => BigInt(values[at]!) };
}

/** Low and high word of each value, in turn. */
function words(values: readonly bigint[]): Uint32Array {
  return new Uint32Array(BigInt64Array.from(values).buffer);
}

function optional(indexes: Uint32Array): TextIndexes {
  return indexes.some((index) => index !== 0) ? indexes : undefined;
}
