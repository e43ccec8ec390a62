import type { SchemaElement } from "hyparquet";
import type { Table } from "./table.ts";

/** Version of the objects' layout; it changes when an old reader would misread a new object. */
export const FORMAT = 2;

/**
 * How a column is stored. `micros` is int64 whose values are bigint; `steps` is int64 whose neighbours are near each other; `time` is the same as a
 * timestamp in UTC.
 */
type Kind = "int32" | "int64" | "micros" | "bool" | "steps" | "time" | "uuid" | "text" | "bytes" | "items";

export interface Column {
  readonly key: keyof Table;
  /** Its name in Parquet: that of the batch's field, with underscores. */
  readonly name: string;
  readonly kind: Kind;
  readonly required: boolean;
}

const KINDS: Readonly<Record<keyof Table, readonly [Kind, "required" | "optional"]>> = {
  batchId: ["uuid", "required"],
  streamSeq: ["steps", "required"],
  storedTime: ["time", "required"],
  closedTime: ["time", "required"],
  collectorId: ["text", "required"],
  batchChecksum: ["int64", "required"],
  merchantId: ["int32", "required"],
  eventId: ["uuid", "required"],
  name: ["text", "required"],
  receivedTime: ["time", "required"],
  clientTime: ["time", "required"],
  sentTime: ["time", "optional"],
  visitorId: ["text", "optional"],
  sessionId: ["text", "optional"],
  url: ["text", "optional"],
  referrer: ["text", "optional"],
  userAgent: ["text", "optional"],
  ip: ["text", "optional"],
  language: ["text", "optional"],
  screenWidth: ["int32", "optional"],
  screenHeight: ["int32", "optional"],
  properties: ["text", "optional"],
  orderId: ["text", "optional"],
  orderRevenueMicros: ["micros", "optional"],
  orderTaxMicros: ["micros", "optional"],
  orderShippingMicros: ["micros", "optional"],
  orderDiscountMicros: ["micros", "optional"],
  orderCurrency: ["text", "optional"],
  orderCoupon: ["text", "optional"],
  orderIsRefund: ["bool", "optional"],
  refundId: ["text", "optional"],
  items: ["items", "optional"],
  sealedBatch: ["bytes", "optional"],
};

/** The columns in their order. */
export const COLUMNS: readonly Column[] = Object.entries(KINDS).map(([key, [kind, presence]]) => ({
  key: key as keyof Table,
  name: key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  kind,
  required: presence === "required",
}));

/** A table without rows. */
export function emptyTable(): Table {
  return Object.fromEntries(COLUMNS.map(({ key }) => [key, []])) as unknown as Table;
}

const ELEMENTS: Readonly<Record<Exclude<Kind, "items">, Omit<SchemaElement, "name">>> = {
  int32: { type: "INT32" },
  int64: { type: "INT64" },
  micros: { type: "INT64" },
  bool: { type: "BOOLEAN" },
  steps: { type: "INT64" },
  time: {
    type: "INT64",
    converted_type: "TIMESTAMP_MILLIS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
  },
  uuid: { type: "FIXED_LEN_BYTE_ARRAY", type_length: 16, logical_type: { type: "UUID" } },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  bytes: { type: "BYTE_ARRAY" },
};

const ITEM_FIELDS: readonly SchemaElement[] = [
  { name: "id", repetition_type: "REQUIRED", ...ELEMENTS.text },
  { name: "name", repetition_type: "OPTIONAL", ...ELEMENTS.text },
  { name: "brand", repetition_type: "OPTIONAL", ...ELEMENTS.text },
  { name: "category", repetition_type: "OPTIONAL", ...ELEMENTS.text },
  { name: "variant", repetition_type: "OPTIONAL", ...ELEMENTS.text },
  { name: "price_micros", repetition_type: "REQUIRED", ...ELEMENTS.int64 },
  { name: "quantity_micros", repetition_type: "REQUIRED", ...ELEMENTS.int64 },
];

/** A list of structs, in the three levels that Parquet's LIST asks for. */
const items = (name: string): SchemaElement[] => [
  { name, repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", repetition_type: "REQUIRED", num_children: ITEM_FIELDS.length },
  ...ITEM_FIELDS,
];

/** Parquet's schema of an object of events. */
export const SCHEMA: readonly SchemaElement[] = [
  { name: "events", num_children: COLUMNS.length },
  ...COLUMNS.flatMap(({ name, kind, required }): SchemaElement[] => {
    if (kind === "items") return items(name);
    return [{ name, repetition_type: required ? "REQUIRED" : "OPTIONAL", ...ELEMENTS[kind] }];
  }),
];
