import { randomBytes } from "node:crypto";
import { crc32, zstdCompressSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { Codec, EventBatchSchema, SealedBatchSchema } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchRejectReason as Reason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { checkBatch } from "./batch-check.ts";
import { BatchView } from "./batch-view.ts";
import { MAX_PAYLOAD_BYTES, open } from "./seal.ts";
import { goldenBytes, readGolden } from "./testing/golden.ts";
import type { PlainRow } from "./testing/plain-row.ts";
import { readSealed } from "./testing/read-sealed.ts";
import { viewRows } from "./testing/view-rows.ts";

/** An envelope around any payload, with the checksum that it should have. */
function envelope(payload: Uint8Array, codec: Codec, checksum = crc32(payload)): Uint8Array {
  const batchId = new Uint8Array(16).fill(7);
  return toBinary(
    SealedBatchSchema,
    create(SealedBatchSchema, { batchId, rows: 1, codec, checksum, payload }),
  );
}

describe("open refuses", () => {
  const batch = toBinary(EventBatchSchema, create(EventBatchSchema, { version: 1, rows: 1 }));
  test.each([
    ["bytes that are no message", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "MALFORMED", /^batch: /],
    ["a checksum that does not match", envelope(batch, Codec.NONE, 5), "CHECKSUM", /^checksum: 5, /],
    ["no codec", envelope(batch, Codec.UNSPECIFIED), "CODEC", /codec: unknown 0/],
    ["an unknown codec", envelope(batch, 9 as Codec), "CODEC", /codec: unknown 9/],
    ["nothing at all", new Uint8Array(), "CODEC", /codec: unknown 0/],
    ["zstd that is none", envelope(batch, Codec.ZSTD), "CODEC", /^payload: /],
    [
      "zstd cut short",
      envelope(zstdCompressSync(randomBytes(500)).subarray(0, 400), Codec.ZSTD),
      "CODEC",
      /./,
    ],
    ["a payload that is no message", envelope(Buffer.from("\x08"), Codec.NONE), "MALFORMED", /^payload: /],
    [
      "a zstd bomb",
      envelope(zstdCompressSync(Buffer.alloc(MAX_PAYLOAD_BYTES + 1)), Codec.ZSTD),
      "CODEC",
      /./,
    ],
    [
      "as much uncompressed",
      envelope(Buffer.alloc(MAX_PAYLOAD_BYTES + 1), Codec.NONE),
      "CODEC",
      /33554433 bytes/,
    ],
  ])("%s", (_, bytes, reason, message) => {
    const { problem, batch } = open(bytes);
    expect([Reason[problem!.reason], problem!.message]).toEqual([reason, expect.stringMatching(message)]);
    expect(batch).toBeUndefined();
  });
});

/** The rows of a batch that open and checkBatch let through, as the product reads them; else undefined. */
function readIfGood(bytes: Uint8Array): PlainRow[] | undefined {
  const { sealed, batch, problem } = open(bytes);
  if (problem !== undefined || checkBatch(sealed!, batch!, 64) !== undefined) return undefined;
  return viewRows(new BatchView(sealed!.batchId, batch!));
}

describe.each(["minimal", "full"])("damage to the golden batch %s", (name) => {
  const bytes = goldenBytes(name);
  const golden = readGolden(name);
  const given = golden.rows.map(({ eventId }) => !eventId.startsWith(golden.batchId.slice(0, 28)));
  /** Rows without derived ids, which a damaged batch id rightly changes. */
  const essence = (rows: PlainRow[]) =>
    rows.map(({ eventId, ...row }, at) => (given[at] ? { eventId, ...row } : row));
  const whole = essence(readIfGood(bytes)!);

  test("a changed byte is refused, or changes no event", () => {
    let read = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [0x01, 0x02, 0x08, 0x40, 0x80, 0xff]) {
        const damaged = Uint8Array.from(bytes);
        damaged[at]! ^= mask;
        const rows = readIfGood(damaged);
        if (rows === undefined) continue;
        read++;
        expect(essence(rows)).toEqual(whole);
      }
    }
    // Some bytes are under no check: most of the batch's id, the collector's name, the closing time.
    expect(read).toBeGreaterThan(0);
  });

  test("a batch cut anywhere is refused, or all its events are there", () => {
    for (let length = 0; length < bytes.length; length++) {
      const rows = readIfGood(bytes.subarray(0, length));
      if (rows !== undefined) expect(essence(rows)).toEqual(whole);
    }
  });
});

describe("unknown fields", () => {
  /** Fields 100 (bytes) and 101 (varint) of a later version. */
  const later = Buffer.from([0xa2, 0x06, 3, 1, 2, 3, 0xa8, 0x06, 42]);

  test("in the envelope and columns are ignored, and the bytes stay as they were", () => {
    const { sealed, batch } = readSealed(goldenBytes("full"));
    const payload = Buffer.concat([later, toBinary(EventBatchSchema, batch), later]);
    const newer = toBinary(SealedBatchSchema, {
      ...sealed,
      codec: Codec.NONE,
      payload,
      checksum: crc32(payload),
    });
    const bytes = Buffer.concat([later, newer, later]);
    const before = Buffer.from(bytes);
    const withoutSent = readGolden("full").rows.map(({ sentTime: _, ...row }) => row);
    expect(readIfGood(bytes)).toEqual(withoutSent);
    expect(bytes.equals(before)).toBe(true);
  });

  test("are still there when a hop parses and writes the envelope again", () => {
    const { sealed } = open(Buffer.concat([goldenBytes("full"), later]));
    expect(Buffer.from(toBinary(SealedBatchSchema, sealed!)).includes(later)).toBe(true);
  });
});
