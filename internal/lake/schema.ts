import type { SchemaElement } from "hyparquet";
import { type Field, fieldList, ITEM_FIELDS, underscored } from "../event-schema/fields.ts";
import { PLAIN_FIELDS } from "../event-schema/plain.ts";
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

type Presence = "required" | "optional";

/** Columns beside those of the raw fields. */
const BATCH_COLUMNS: readonly (readonly [keyof Table, Kind, Presence])[] = [
  ["batchId", "uuid", "required"],
  ["streamSeq", "steps", "required"],
  ["storedTime", "time", "required"],
  ["closedTime", "time", "required"],
  ["collectorId", "text", "required"],
  ["batchChecksum", "int64", "required"],
  ["merchantId", "int32", "required"],
  ["eventId", "uuid", "required"],
  ["receivedTime", "time", "required"],
  ["clientTime", "time", "required"],
  ["sentTime", "time", "optional"],
];

/** How a raw field is stored. */
const FIELD_KINDS: Readonly<Record<Field["kind"], "int32" | "text" | "bool" | "micros">> = {
  text: "text",
  u16: "int32",
  u32: "int32",
  flag: "bool",
  micros: "micros",
  known: "micros",
};

const FIELD_COLUMNS = PLAIN_FIELDS.map(
  ({ key, kind, isRequired }): readonly [keyof Table, Kind, Presence] => [
    key,
    FIELD_KINDS[kind],
    isRequired ? "required" : "optional",
  ],
);

/** The columns in their order. */
export const COLUMNS: readonly Column[] = [
  ...BATCH_COLUMNS,
  ...FIELD_COLUMNS,
  ...([
    ["properties", "text", "optional"],
    ["items", "items", "optional"],
    ["sealedBatch", "bytes", "optional"],
  ] as const),
].map(([key, kind, presence]) => ({
  key,
  name: underscored(key),
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

/** The fields of an item in their order, by the names that they have in Parquet. */
export const ITEM_COLUMNS = fieldList(ITEM_FIELDS).map(({ name, kind, isRequired }) => ({
  name,
  column: underscored(name),
  element: ELEMENTS[FIELD_KINDS[kind]],
  required: isRequired === true,
}));

/** A list of structs, in the three levels that Parquet's LIST asks for. */
const items = (name: string): SchemaElement[] => [
  { name, repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", repetition_type: "REQUIRED", num_children: ITEM_COLUMNS.length },
  ...ITEM_COLUMNS.map(
    ({ column, element, required }): SchemaElement => ({
      name: column,
      repetition_type: required ? "REQUIRED" : "OPTIONAL",
      ...element,
    }),
  ),
];

/** Parquet's schema of an object of events. */
export const SCHEMA: readonly SchemaElement[] = [
  { name: "events", num_children: COLUMNS.length },
  ...COLUMNS.flatMap(({ name, kind, required }): SchemaElement[] => {
    if (kind === "items") return items(name);
    return [{ name, repetition_type: required ? "REQUIRED" : "OPTIONAL", ...ELEMENTS[kind] }];
  }),
];
