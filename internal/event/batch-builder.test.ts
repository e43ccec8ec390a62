import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Codec } from "../gen/footfall/event/v1/batch_pb.js";
import { BatchBuilder, type Row } from "./batch-builder.ts";
import { checkBatch } from "./batch-check.ts";
import { BatchView } from "./batch-view.ts";
import { valuesOf } from "./property-value.ts";
import { open, seal, sealedBytes } from "./seal.ts";
import type { PlainRow } from "./testing/plain-row.ts";
import { anyRow, plainRow } from "./testing/random-rows.ts";
import { readSealed } from "./testing/read-sealed.ts";
import { viewRows } from "./testing/view-rows.ts";

const CAPACITY = 24;
const rows = fc.array(anyRow, { minLength: 1, maxLength: CAPACITY });
const codec = fc.constantFrom(Codec.NONE, Codec.ZSTD);

function sealRows(builder: BatchBuilder, batch: readonly Row[], codec: Codec): Uint8Array {
  for (const row of batch) builder.add(row);
  return sealedBytes(seal(builder.take(), { partition: 0, collectorId: "edge", codec, closedTime: 1 }));
}

/** The rows that a reader must find; ids of rows without one are the batch's plus the row's number, from 1. */
function expected(batch: readonly Row[], batchId: Uint8Array): PlainRow[] {
  const hex = Buffer.from(batchId).toString("hex");
  return batch.map((row, at) => {
    const tail = (BigInt(`0x${hex.slice(24)}`) + BigInt(at + 1)) % 2n ** 32n;
    const id = hex.slice(0, 24) + tail.toString(16).padStart(8, "0");
    const uuid = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)];
    return plainRow(row, uuid.join("-"));
  });
}

/** The same bytes at an offset that need not suit a u32. */
function shifted(bytes: Uint8Array, by: number): Uint8Array {
  const larger = new Uint8Array(bytes.length + by);
  larger.set(bytes, by);
  return larger.subarray(by);
}

function expectReadsBack(bytes: Uint8Array, batch: readonly Row[]): void {
  const opened = open(bytes);
  expect(opened.problem).toBeUndefined();
  const { sealed, batch: columns } = opened as Exclude<typeof opened, { problem: object }>;
  expect(checkBatch(sealed, columns!, 1)).toBeUndefined();
  const wanted = expected(batch, sealed!.batchId);
  // The product's reader has no use for the sending time; the other one reads all columns.
  const { rows } = readSealed(bytes);
  expect(rows).toEqual(wanted);
  const withoutSent = wanted.map(({ sentTime: _, ...row }) => row);
  expect(viewRows(new BatchView(sealed!.batchId, columns!))).toEqual(withoutSent);
}

describe("what goes into a batch comes out of it", () => {
  test("every value of every row, at any alignment", () => {
    fc.assert(
      fc.property(rows, codec, fc.integer({ min: 0, max: 3 }), (batch, codec, shift) => {
        expectReadsBack(shifted(sealRows(new BatchBuilder(CAPACITY), batch, codec), shift), batch);
      }),
      { numRuns: 150 },
    );
  });

  test("a builder used again holds nothing of the batch before, and leaves that batch alone", () => {
    fc.assert(
      fc.property(rows, rows, codec, (first, second, codec) => {
        const builder = new BatchBuilder(CAPACITY);
        const one = sealRows(builder, first, codec);
        const two = sealRows(builder, second, codec);
        expectReadsBack(two, second);
        expectReadsBack(one, first);
        // Nor are there columns that only the batch before had a use for.
        const fresh = readSealed(sealRows(new BatchBuilder(CAPACITY), second, codec));
        expect(readSealed(two).batch).toEqual(fresh.batch);
        expect(builder.rows).toBe(0);
      }),
      { numRuns: 80 },
    );
  });

  test("a batch taken and not yet sealed does not change as the builder goes on", () => {
    fc.assert(
      fc.property(rows, rows, (first, second) => {
        const builder = new BatchBuilder(CAPACITY);
        for (const row of first) builder.add(row);
        const taken = builder.take();
        for (const row of second) builder.add(row);
        const options = { partition: 0, collectorId: "", codec: Codec.NONE, closedTime: 1 };
        expectReadsBack(sealedBytes(seal(taken, options)), first);
      }),
      { numRuns: 40 },
    );
  });
});

const event = (batch: readonly Row[]) => batch[0]!.event;

test("many side entries and a large dictionary make the builder's arrays grow", () => {
  const [row] = fc.sample(anyRow, { seed: 7, numRuns: 1 });
  const many = Array.from({ length: 300 }, (_, at): Row => {
    const items = Array.from({ length: 40 }, (_, n) => ({ ...item, id: `${at}-${n}-${"é".repeat(20)}` }));
    return {
      ...row!,
      event: { ...event([row!]), items, properties: valuesOf({ [`key ${at}`]: "x".repeat(1_000) }) },
    };
  });
  expectReadsBack(sealRows(new BatchBuilder(300), many, Codec.ZSTD), many);
});

const item = {
  $typeName: "footfall.event.v1.Item" as const,
  listId: "",
  listPosition: 0,
  promotionId: "",
  discountMicros: 0n,
  name: "",
  brand: "",
  category: "",
  variant: "",
  priceMicros: 5n,
  quantityMicros: 2_500_000n,
};

test("byteLength is no less than the size of the batch before compression", () => {
  fc.assert(
    fc.property(fc.array(anyRow, { minLength: CAPACITY, maxLength: CAPACITY }), (batch) => {
      const builder = new BatchBuilder(CAPACITY);
      for (const row of batch) builder.add(row);
      const estimate = builder.byteLength;
      const options = { partition: 0, collectorId: "", codec: Codec.NONE, closedTime: 1 };
      const size = seal(builder.take(), options).payload.length;
      // 250 bytes: tags and lengths of some 40 columns.
      expect(size).toBeLessThanOrEqual(estimate + 250);
    }),
    { numRuns: 40 },
  );
});
