import { existsSync, readFileSync } from "node:fs";
import { zstdCompressSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { LineReader } from "../internal/collect/access-log/line-reader.ts";
import { lineToEvent } from "../internal/collect/access-log/to-event.ts";
import { BatchBuilder, type Row } from "../internal/event/batch-builder.ts";
import { checkBatch } from "../internal/event/batch-check.ts";
import { BatchView } from "../internal/event/batch-view.ts";
import { partitionOf } from "../internal/event/partition.ts";
import { open, seal, sealedBytes } from "../internal/event/seal.ts";
import { SendRequestSchema } from "../internal/gen/footfall/collect/v1/collect_pb.js";
import { Codec, EventBatchSchema } from "../internal/gen/footfall/event/v1/batch_pb.js";
import { inTurn } from "./lib/measure.ts";
import { type Bench, short } from "./lib/result.ts";
import { shopRows, toRow } from "./lib/shop-events.ts";

const ROWS = 5_000;
const PARTITIONS = 1;

/**
 * The columnar batch against the same events as protobuf rows, on one core: decoding with the full check of
 * every column, and encoding from row events.
 */
export const codec: Bench = async ({ seconds, say }) => {
  const rows = shopRows(ROWS, 300);
  const builder = new BatchBuilder(ROWS);
  const encode = (codec: Codec) => sealedBytes(seal(columns(builder, rows), sealOptions(codec)));
  const plain = encode(Codec.NONE);
  const zstd = encode(Codec.ZSTD);
  const request = toBinary(
    SendRequestSchema,
    create(SendRequestSchema, { events: rows.map(({ event }) => event) }),
  );
  const decoded = fromBinary(SendRequestSchema, request);
  const [decode, decodeZstd, decodeRows, encodeColumns, encodeSealed, encodeRows] = inTurn(seconds, [
    () => decodeAndCheck(plain),
    () => decodeAndCheck(zstd),
    () => fromBinary(SendRequestSchema, request).events.length,
    () => toBinary(EventBatchSchema, columns(builder, rows)) && ROWS,
    () => encode(Codec.ZSTD) && ROWS,
    () => toBinary(SendRequestSchema, decoded) && ROWS,
  ]) as [number, number, number, number, number, number];
  const sizes = { shops: size(rows), ...(accessLogSize() ?? {}) };
  say(
    `decode + full check: ${short(decode)} events/s (zstd ${short(decodeZstd)}), protobuf rows ${short(decodeRows)}`,
  );
  say(
    `encode: columns ${short(encodeColumns)}, sealed with zstd ${short(encodeSealed)}, protobuf rows ${short(encodeRows)}`,
  );
  say(`bytes an event: ${JSON.stringify(sizes)}`);
  return {
    bench: "codec",
    figure: decode,
    unit: "events/s",
    ratio: decode / decodeRows,
    against: "protobuf-es decoding the same events as rows",
    details: {
      decode_zstd: decodeZstd,
      decode_rows: decodeRows,
      encode: encodeColumns,
      encode_zstd: encodeSealed,
      encode_rows: encodeRows,
      encode_ratio: encodeColumns / encodeRows,
      bytes: sizes,
    },
  };
};

function columns(builder: BatchBuilder, rows: readonly Row[]) {
  for (const row of rows) builder.add(row);
  return builder.take();
}

function sealOptions(codec: Codec) {
  return { partition: 0, collectorId: "bench", codec, closedTime: Date.now() };
}

function decodeAndCheck(bytes: Uint8Array): number {
  const opened = open(bytes);
  if (opened.problem !== undefined) throw new Error(opened.problem.message);
  const problem = checkBatch(opened.sealed, opened.batch, PARTITIONS);
  if (problem !== undefined) throw new Error(problem.message);
  return new BatchView(opened.sealed.batchId, opened.batch).rows;
}

/** Bytes an event before and after zstd, as columns and as protobuf rows. */
function size(rows: readonly Row[]) {
  const columnar = toBinary(EventBatchSchema, columns(new BatchBuilder(rows.length), rows));
  const asRows = toBinary(
    SendRequestSchema,
    create(SendRequestSchema, { events: rows.map(({ event }) => event) }),
  );
  const each = (bytes: Uint8Array) => Number((bytes.length / rows.length).toFixed(1));
  return {
    columns: each(columnar),
    columns_zstd: each(zstdCompressSync(columnar)),
    rows: each(asRows),
    rows_zstd: each(zstdCompressSync(asRows)),
  };
}

function accessLogSize() {
  const file = ["../shared/data/access.log", "shared/data/access.log"].find((path) => existsSync(path));
  if (file === undefined) return undefined;
  let offset = 0;
  const rows: Row[] = [];
  const reader = new LineReader({ format: "auto" });
  for (const text of readFileSync(file, "utf8").split("\n").slice(0, ROWS)) {
    const line = { file: "bench", offset, text };
    offset += text.length + 1;
    const parsed = reader.read(text);
    const read = parsed && lineToEvent(parsed, line, { merchant: "1", site: "http://localhost" });
    if (read?.ok) rows.push(toRow(read.event, 1, Date.now()));
  }
  return { access_log: size(rows) };
}

if (partitionOf(1, PARTITIONS) !== 0) throw new Error("one partition holds every merchant");
