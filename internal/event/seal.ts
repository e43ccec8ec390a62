import { randomUUIDv7 } from "node:crypto";
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Codec,
  type EventBatch,
  EventBatchSchema,
  type SealedBatch,
  SealedBatchSchema,
} from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { aligned } from "./columns.ts";

/** Largest payload after decompression, bytes: what one batch may take in a reader's memory. */
export const MAX_PAYLOAD_BYTES = 32 << 20;

/** A fault of a batch: its closed reason, and a message that names the field and the value. */
export interface BatchProblem {
  readonly reason: BatchRejectReason;
  readonly message: string;
}

export interface SealOptions {
  readonly partition: number;
  readonly collectorId: string;
  readonly codec: Codec;
  /** Ms since 1970-01-01 UTC. */
  readonly closedTime: number;
  /** 16 bytes; default: a new one. */
  readonly batchId?: Uint8Array;
}

/** A new batch id: the 16 bytes of a UUIDv7. */
export function newBatchId(): Buffer {
  return Buffer.from(randomUUIDv7().replaceAll("-", ""), "hex");
}

/** Seals a batch: compressed, with id and checksum. The bytes that travel are `toBinary` of the result. */
export function seal(batch: EventBatch, options: SealOptions): SealedBatch {
  const payload = compress(toBinary(EventBatchSchema, batch), options.codec);
  return create(SealedBatchSchema, {
    batchId: options.batchId ?? newBatchId(),
    partition: options.partition,
    rows: batch.rows,
    codec: options.codec,
    checksum: crc32(payload),
    payload,
    collectorId: options.collectorId,
    closedTimeMs: BigInt(options.closedTime),
  });
}

/** The bytes of a sealed batch, as they travel. */
export function sealedBytes(sealed: SealedBatch): Uint8Array {
  return toBinary(SealedBatchSchema, sealed);
}

export type Opened =
  | { readonly sealed: SealedBatch; readonly batch: EventBatch; readonly problem?: undefined }
  | { readonly sealed: SealedBatch | undefined; readonly batch?: undefined; readonly problem: BatchProblem };

/**
 * Opens the bytes of a sealed batch: parses the envelope, verifies the checksum, decompresses and parses the
 * payload. The columns are not checked here (checkBatch). Never throws.
 * @param place puts a column where typed arrays can view it.
 */
export function open(bytes: Uint8Array, place = aligned): Opened {
  let sealed: SealedBatch | undefined;
  let reason = BatchRejectReason.MALFORMED;
  try {
    sealed = fromBinary(SealedBatchSchema, bytes);
    const checksum = crc32(sealed.payload);
    if (checksum !== sealed.checksum) {
      const message = `checksum: ${sealed.checksum}, but the payload's is ${checksum}`;
      return { sealed, problem: { reason: BatchRejectReason.CHECKSUM, message } };
    }
    reason = BatchRejectReason.CODEC;
    const payload = decompress(sealed.payload, sealed.codec);
    reason = BatchRejectReason.MALFORMED;
    return { sealed, batch: alignColumns(fromBinary(EventBatchSchema, payload), place) };
  } catch (error) {
    const where = sealed === undefined ? "batch" : "payload";
    return {
      sealed,
      problem: { reason, message: `${where}: ${error instanceof Error ? error.message : error}` },
    };
  }
}

/** Columns that are read byte by byte. */
const BYTES: ReadonlySet<string> = new Set<keyof EventBatch>(["dictionary", "eventId"]);

/** Puts every column where typed arrays can view it, so that no reader of a column copies it again. */
function alignColumns(batch: EventBatch, place: (column: Uint8Array) => Uint8Array): EventBatch {
  for (const message of [batch, batch.properties, batch.orders, batch.items]) {
    const columns = message as Record<string, unknown> | undefined;
    for (const name in columns) {
      const column = columns[name];
      if (column instanceof Uint8Array && !BYTES.has(name)) columns[name] = place(column);
    }
  }
  return batch;
}

/** Level 1: on a loopback or data-centre link the CPU is scarcer than the bytes. */
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

function compress(bytes: Uint8Array, codec: Codec): Uint8Array {
  return codec === Codec.ZSTD ? zstdCompressSync(bytes, ZSTD) : bytes;
}

function decompress(bytes: Uint8Array, codec: Codec): Uint8Array {
  if (codec === Codec.NONE) {
    if (bytes.length <= MAX_PAYLOAD_BYTES) return bytes;
    throw new Error(`${bytes.length} bytes, at most ${MAX_PAYLOAD_BYTES}`);
  }
  if (codec === Codec.ZSTD) return zstdDecompressSync(bytes, { maxOutputLength: MAX_PAYLOAD_BYTES });
  throw new Error(`codec: unknown ${codec}`);
}
