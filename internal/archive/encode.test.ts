import { zstdDecompressSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { describe, expect, test } from "vitest";
import { testBatch } from "../../test/kit/batches.ts";
import { BatchBuilder, type Row } from "../event/batch-builder.ts";
import { BatchView } from "../event/batch-view.ts";
import { formatId } from "../event/event-id.ts";
import { rebuildBatch } from "../event/rebuild.ts";
import { open, seal, sealedBytes } from "../event/seal.ts";
import { anyRow, plainRow } from "../event/testing/random-rows.ts";
import { viewRows } from "../event/testing/view-rows.ts";
import { Codec, SealedBatchSchema } from "../gen/footfall/event/v1/batch_pb.js";
import { openObject } from "../lake/object-reader.ts";
import type { StreamBatch } from "../stream/partition-feed.ts";
import { encodeBatches } from "./encode.ts";

const FACTS = { partition: 0, partitions: 1, firstSeq: 1, lastSeq: 100 };

function message(bytes: Uint8Array, seq: number): StreamBatch {
  return { seq, storedTime: 1_767_323_045_678 + seq, pending: 0, bytes };
}

function sealRows(rows: readonly Row[], collectorId: string): Uint8Array {
  const builder = new BatchBuilder(rows.length);
  for (const row of rows) builder.add(row);
  const options = { partition: 0, collectorId, codec: Codec.ZSTD, closedTime: 1_767_323_046_000 };
  return sealedBytes(seal(builder.take(), options));
}

async function readBack(object: Uint8Array) {
  const batches = [];
  for await (const batch of (await openObject(object)).batches()) batches.push(batch);
  return batches;
}

test("batches that are read from an object are those that were written, every field of every event", async () => {
  const batch = fc.record({ rows: fc.array(anyRow, { minLength: 1, maxLength: 6 }), collector: fc.string() });
  const check = async (all: { rows: Row[]; collector: string }[]) => {
    const names = all.map(({ collector }) => collector.replaceAll(/[\0\ud800-\udfff]/g, "?"));
    const messages = all.map(({ rows }, at) => message(sealRows(rows, names[at]!), 7 * (at + 1)));
    const { events, rows, keptWhole, deadLetters } = await encodeBatches(messages, FACTS);
    expect({ rows, keptWhole, deadLetters }).toEqual({
      rows: all.reduce((sum, one) => sum + one.rows.length, 0),
      keptWhole: 0,
      deadLetters: [],
    });
    const batches = await readBack(events!);
    expect(batches).toHaveLength(all.length);
    for (const [at, archived] of batches.entries()) {
      const { sealed } = open(messages[at]!.bytes);
      expect(archived).toMatchObject({
        streamSeq: 7 * (at + 1),
        storedTime: messages[at]!.storedTime,
        closedTime: 1_767_323_046_000,
        collectorId: names[at],
        batchChecksum: sealed!.checksum,
      });
      expect(formatId(archived.batchId)).toBe(formatId(sealed!.batchId));
      const again = new BatchView(archived.batchId, rebuildBatch(archived.table, archived.batchId, archived));
      const ids = viewRows(again).map(({ eventId }) => eventId);
      // The rows that the generator made; its sending times, which that reader of batches leaves out, apart.
      expect(viewRows(again)).toEqual(
        all[at]!.rows.map((row, i) => {
          const { sentTime: _, ...expected } = plainRow(row, ids[i]!);
          return expected;
        }),
      );
      expect(Array.from({ length: again.rows }, (_, row) => again.sentTime?.get(row) ?? 0)).toEqual(
        all[at]!.rows.map(({ sentTime }) => sentTime),
      );
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 4 }), check), { numRuns: 40 });
});

const plain = (count: number) =>
  testBatch(
    Array.from({ length: count }, (_, at) => ({
      merchantId: 1,
      time: 1_767_323_045_678 + at,
      eventId: crypto.randomUUID(),
    })),
    { partition: 0 },
  );

describe("an object", () => {
  test("is the same whenever it is made of the same batches", async () => {
    const messages = [1, 2, 3].map((seq) => message(plain(5).bytes, seq));
    const first = await encodeBatches(messages, FACTS);
    const second = await encodeBatches(messages, FACTS);
    expect(Buffer.from(first.events!).equals(second.events!)).toBe(true);
  });

  test("has row groups of whole batches", async () => {
    const messages = [40_000, 30_000, 1_000].map((count, at) => message(plain(count).bytes, at + 1));
    const { events, rows } = await encodeBatches(messages, FACTS);
    expect(rows).toBe(71_000);
    const batches = await readBack(events!);
    expect(batches.map(({ streamSeq, first, rows }) => [streamSeq, first, rows])).toEqual([
      [1, 0, 40_000],
      [2, 40_000, 30_000],
      [3, 0, 1_000],
    ]);
  });

  test("reads as any Parquet: names and types of the columns, absent values as null", async () => {
    const eventId = "0192d7c8-7b1e-7abc-8def-0123456789ab";
    const order = { id: "o-1", revenueMicros: 12_340_000n, currency: "EUR" };
    const items = [{ id: "sku", name: "Ünï", priceMicros: 5n, quantityMicros: 2_500_000n }];
    const properties = { plan: "pro" };
    const time = Date.UTC(2026, 2, 29, 10);
    const event = { merchantId: 1, time, eventId, url: "https://a.example/", order, items, properties };
    const { id, bytes, sealed } = testBatch([event, { merchantId: 1, time }], { partition: 0 });
    const { events } = await encodeBatches([message(bytes, 12)], FACTS);
    const file = new Uint8Array(events!).buffer;
    const compressors = { ZSTD: (input: Uint8Array) => zstdDecompressSync(input) };
    const rows = await parquetReadObjects({ file, compressors });
    expect(rows[0]).toMatchObject({
      batch_id: id,
      stream_seq: 12n,
      stored_time: new Date(1_767_323_045_690),
      batch_checksum: BigInt(sealed.checksum),
      event_id: eventId,
      merchant_id: 1,
      name: "page_view",
      client_time: new Date(time),
      received_time: new Date(time),
      url: "https://a.example/",
      properties: '{"plan":"pro"}',
      order_id: "o-1",
      order_revenue_micros: 12_340_000n,
      order_tax_micros: 0n,
      order_currency: "EUR",
      items: [{ id: "sku", name: "Ünï", price_micros: 5n, quantity_micros: 2_500_000n }],
    });
    for (const name of ["sent_time", "url", "properties", "order_id", "order_tax_micros", "items"]) {
      expect([name, rows[1]![name] ?? null]).toEqual([name, null]);
    }
  });
});

describe("what the columns do not hold is kept as it arrived", () => {
  /** A field of bytes that this program does not know. */
  const unknown = { no: 4_000, wireType: 2, data: Uint8Array.of(3, 1, 2, 3) } as const;
  const spoils: [string, Parameters<typeof testBatch>[1]][] = [
    ["a column of a batch", { partition: 0, spoil: (batch) => (batch.$unknown = [unknown]) }],
    ["a field of the envelope", { partition: 0, spoilSealed: (sealed) => (sealed.$unknown = [unknown]) }],
    [
      "a collector's clock beyond all years",
      { partition: 0, spoilSealed: (sealed) => Object.assign(sealed, { closedTimeMs: 2n ** 63n - 1n }) },
    ],
  ];
  test.each(spoils)("%s", async (_, options) => {
    const spoilt = testBatch([{ merchantId: 1, time: 1 }], options);
    const messages = [message(plain(2).bytes, 1), message(spoilt.bytes, 2)];
    const { events, keptWhole } = await encodeBatches(messages, FACTS);
    expect(keptWhole).toBe(1);
    const [first, second] = await readBack(events!);
    expect(first!.sealedBatch).toBeUndefined();
    expect(Buffer.from(second!.sealedBatch!).equals(spoilt.bytes)).toBe(true);
    expect(second!.rows).toBe(1);
  });
});

describe("a batch that cannot be read", () => {
  const good = plain(3);
  const bad: [string, Uint8Array][] = [
    ["MALFORMED", Buffer.from("no batch at all")],
    ["CHECKSUM", toBinary(SealedBatchSchema, create(SealedBatchSchema, { ...good.sealed, checksum: 1 }))],
    ["CODEC", new Uint8Array(0)],
    ["PARTITION", toBinary(SealedBatchSchema, create(SealedBatchSchema, { ...good.sealed, partition: 1 }))],
    [
      "INDEX",
      testBatch([{ merchantId: 1, time: 0 }], { partition: 0, spoil: (b) => b.name.fill(255) }).bytes,
    ],
  ];
  test.each(bad)("is dead-lettered: %s, and its neighbours are archived", async (reason, bytes) => {
    const messages = [message(good.bytes, 1), message(bytes, 2), message(plain(2).bytes, 3)];
    const { events, rows, batches, deadLetters } = await encodeBatches(messages, FACTS);
    expect({ rows, batches }).toEqual({ rows: 5, batches: 2 });
    expect(deadLetters.map((one) => [one.message.seq, one.reason])).toEqual([[2, reason]]);
    expect((await readBack(events!)).map(({ streamSeq }) => streamSeq)).toEqual([1, 3]);
  });

  test("alone makes no object of events", async () => {
    const { events, deadLetters } = await encodeBatches([message(bad[0]![1], 1)], FACTS);
    expect(events).toBeUndefined();
    expect(deadLetters).toHaveLength(1);
  });
});
