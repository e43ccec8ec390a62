import { constants, zstdCompressSync } from "node:zlib";
import type { DecodedArray, SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { COLUMNS, type Column, FORMAT, ITEM_COLUMNS, SCHEMA } from "./schema.ts";
import type { Table } from "./table.ts";

/** What an object says of itself, in its key-value metadata. */
export interface ObjectFacts {
  readonly partition: number;
  /** Partitions of the installation. */
  readonly partitions: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** The metadata's keys begin with this. */
export const METADATA_PREFIX = "footfall.";

const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/**
 * Makes a Parquet object of events, row group by row group. The same tables and facts give the same bytes.
 */
export class ObjectWriter {
  readonly #bytes = new ByteWriter(1 << 20);
  readonly #parquet: ParquetWriter;

  constructor(facts: ObjectFacts) {
    const metadata = { format: FORMAT, ...facts };
    this.#parquet = new ParquetWriter({
      writer: this.#bytes,
      schema: SCHEMA as SchemaElement[],
      codec: "ZSTD",
      compressors: { ZSTD: (bytes) => zstdCompressSync(bytes, ZSTD) },
      kvMetadata: Object.entries(metadata).map(([key, value]) => ({
        key: `${METADATA_PREFIX}${key}`,
        value: String(value),
      })),
      createdBy: "footfall version 1",
    });
  }

  /** Writes a table as one row group. */
  write(table: Table): void {
    const columnData = COLUMNS.map((column) => ({
      name: column.name,
      data: physical(column, table),
      // Readers skip row groups by merchant, time and sequence; the least and greatest text tell them nothing.
      statistics: column.kind === "int32" || column.kind === "time" || column.kind === "steps",
      ...(column.kind === "time" || column.kind === "steps"
        ? { encoding: "DELTA_BINARY_PACKED" as const }
        : {}),
    }));
    this.#parquet.write({ columnData, rowGroupSize: table.streamSeq.length });
  }

  /** Writes the footer. @returns the object. */
  finish(): Uint8Array {
    this.#parquet.finish();
    return this.#bytes.getBytes();
  }
}

/** A column's values as Parquet's types take them. */
function physical({ key, kind }: Column, table: Table): DecodedArray {
  const values = table[key];
  if (kind === "int64" || kind === "steps" || kind === "time") {
    return (values as (number | undefined)[]).map((value) =>
      value === undefined ? undefined : BigInt(value),
    );
  }
  if (kind !== "items") return values as DecodedArray;
  return (values as Table["items"]).map((items) =>
    items?.map((item) => Object.fromEntries(ITEM_COLUMNS.map(({ name, column }) => [column, item[name]]))),
  );
}
