import { zstdDecompressSync } from "node:zlib";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync } from "hyparquet";
import { parquetReadColumn } from "hyparquet/src/read.js";
import { METADATA_PREFIX, type ObjectFacts } from "./object-writer.ts";
import { COLUMNS, type Column, emptyTable, FORMAT, ITEM_COLUMNS } from "./schema.ts";
import type { BatchFacts, Table } from "./table.ts";

/** A batch in an object: what it was, and where its rows stand in the table. */
export interface ArchivedBatch extends BatchFacts {
  readonly table: Table;
  readonly first: number;
  readonly rows: number;
}

/** An object of events that is open for reading. */
export interface ArchiveObject extends ObjectFacts {
  readonly rows: number;
  /** Its batches in the order of the stream; one row group is in memory at a time. */
  batches(): AsyncGenerator<ArchivedBatch>;
}

/** Opens an object. @throws when it is no Parquet, or of a format that this program does not know. */
export async function openObject(source: Uint8Array | AsyncBuffer): Promise<ArchiveObject> {
  const file = source instanceof Uint8Array ? asFile(source) : source;
  const metadata = await parquetMetadataAsync(file);
  const pairs = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value]));
  const fact = (name: string) => Number(pairs.get(`${METADATA_PREFIX}${name}`) ?? Number.NaN);
  if (fact("format") !== FORMAT) {
    const format = pairs.get(`${METADATA_PREFIX}format`);
    throw new Error(`format: ${format ?? "none"}, this program reads ${FORMAT}`);
  }
  return {
    partition: fact("partition"),
    partitions: fact("partitions"),
    firstSeq: fact("firstSeq"),
    lastSeq: fact("lastSeq"),
    rows: Number(metadata.num_rows),
    batches: () => readBatches(file, metadata),
  };
}

function asFile(bytes: Uint8Array): AsyncBuffer {
  const slice = (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end)).buffer;
  return { byteLength: bytes.length, slice };
}

async function* readBatches(file: AsyncBuffer, metadata: FileMetaData): AsyncGenerator<ArchivedBatch> {
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const table = emptyTable();
    for (const column of COLUMNS) {
      const values = await readColumn(file, metadata, column, rowStart, rowEnd);
      (table as Record<keyof Table, unknown>)[column.key] = values;
    }
    yield* splitBatches(table);
    rowStart = rowEnd;
  }
}

/** A row group holds whole batches. */
function* splitBatches(table: Table): Generator<ArchivedBatch> {
  const rows = table.streamSeq.length;
  for (let first = 0; first < rows; ) {
    let end = first + 1;
    while (end < rows && table.streamSeq[end] === table.streamSeq[first]) end++;
    yield {
      batchId: table.batchId[first]!,
      streamSeq: table.streamSeq[first]!,
      storedTime: table.storedTime[first]!,
      closedTime: table.closedTime[first]!,
      collectorId: table.collectorId[first]!,
      batchChecksum: table.batchChecksum[first]!,
      sealedBatch: table.sealedBatch[first],
      table,
      first,
      rows: end - first,
    };
    first = end;
  }
}

/** Values as they are stored: no dates, no UUID texts, and a byte order mark stays. */
const PARSERS = {
  timestampFromMilliseconds: (ms: bigint | undefined) => (ms === undefined ? undefined : Number(ms)),
  uuidFromBytes: (bytes: Uint8Array) => bytes,
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"),
};

const COMPRESSORS = { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) };

async function readColumn(
  file: AsyncBuffer,
  metadata: FileMetaData,
  { name, kind }: Column,
  rowStart: number,
  rowEnd: number,
): Promise<unknown[]> {
  const options = { file, metadata, columns: [name], rowStart, rowEnd, compressors: COMPRESSORS };
  // Bytes that are no text must not be read as one.
  const values = await parquetReadColumn({ ...options, parsers: PARSERS, utf8: kind !== "bytes" });
  return Array.from(values as ArrayLike<unknown>, (value) => plain(kind, value));
}

function plain(kind: Column["kind"], value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "bigint") return kind === "micros" ? value : Number(value);
  if (kind !== "items") return value;
  return (value as Record<string, unknown>[]).map((item) =>
    Object.fromEntries(ITEM_COLUMNS.map(({ name, column }) => [name, item[column] ?? undefined])),
  );
}
