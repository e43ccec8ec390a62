import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { partitionOf } from "../event/partition.ts";
import { readSealed } from "../event/testing/read-sealed.ts";
import { Codec } from "../gen/footfall/event/v1/batch_pb.js";
import { Batcher, type BatcherOptions, type OutgoingBatch } from "./batcher.ts";
import { addEvent } from "./testing/add-event.ts";

const OPTIONS: BatcherOptions = {
  collectorId: "edge",
  codec: Codec.NONE,
  maxRows: 100,
  maxBytes: 1 << 20,
  maxAgeMs: 20,
  maxPendingBytes: 1 << 20,
};

let out: OutgoingBatch[];
beforeEach(() => {
  vi.useFakeTimers();
  out = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const batcherOf = (options: Partial<BatcherOptions> = {}) =>
  new Batcher({ ...OPTIONS, ...options }, (batch) => out.push(batch));

const add = (batcher: Batcher, ...names: string[]) => names.map((name) => addEvent(batcher, name));
const names = () => out.map(({ bytes }) => readSealed(bytes).rows.map(({ name }) => name));

/** Lets timers of so many ms run, and what waits on settled promises. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("a batch closes", () => {
  test("in the next turn of the event loop when none is on its way", async () => {
    const batcher = batcherOf({ maxAgeMs: 60_000 });
    add(batcher, "a", "b");
    expect(out).toEqual([]);
    await pass(1);
    expect(names()).toEqual([["a", "b"]]);
  });

  test("at its number of rows, at once", () => {
    const batcher = batcherOf({ maxRows: 3 });
    add(batcher, "a", "b", "c", "d", "e", "f", "g");
    expect(names()).toEqual([
      ["a", "b", "c"],
      ["d", "e", "f"],
    ]);
    batcher.flush();
    expect(names()[2]).toEqual(["g"]);
  });

  test("at its bytes, which are about those of its payload", () => {
    const batcher = batcherOf({ maxBytes: 10_000 });
    for (let at = 0; out.length < 3; at++) add(batcher, `${at}`.padEnd(60, "x"));
    for (const { bytes } of out) {
      // The last row may cross the limit, and columns of ids and times are counted, whether they are written or not.
      expect(bytes.length).toBeGreaterThan(5_000);
      expect(bytes.length).toBeLessThan(10_500);
    }
  });

  test("at its age while another is on its way, not before", async () => {
    const batcher = batcherOf();
    add(batcher, "first");
    await pass(1);
    add(batcher, "a");
    await pass(10);
    add(batcher, "b");
    await pass(9);
    expect(names()).toEqual([["first"]]);
    await pass(1);
    expect(names()).toEqual([["first"], ["a", "b"]]);
  });

  test("when the last one on its way is settled: what gathered goes in one batch", async () => {
    const batcher = batcherOf({ maxAgeMs: 60_000 });
    add(batcher, "first");
    await pass(1);
    for (let at = 0; at < 50; at++) {
      add(batcher, `event ${at}`);
      await pass(1);
    }
    expect(out).toHaveLength(1);
    out[0]!.receipt.settle({ stored: true });
    await pass(0);
    expect(out.map(({ rows }) => rows)).toEqual([1, 50]);
  });
});

test("each partition has batches of its own", async () => {
  const batcher = batcherOf();
  for (let merchant = 1; merchant <= 40; merchant++) addEvent(batcher, `m${merchant}`, merchant);
  await pass(1);
  const opened = out.map(({ bytes }) => readSealed(bytes));
  expect(opened.map(({ sealed }) => sealed.partition).sort()).toEqual([0, 1, 2, 3]);
  expect(new Set(out.map(({ batchId }) => Buffer.from(batchId).toString("hex"))).size).toBe(4);
  for (const { sealed, rows } of opened) {
    for (const { merchantId } of rows) expect(partitionOf(merchantId, 4)).toBe(sealed.partition);
  }
  expect(opened.flatMap(({ rows }) => rows)).toHaveLength(40);
});

test("the receipt of a row is that of its batch, whatever becomes of it", async () => {
  const batcher = batcherOf({ maxRows: 2 });
  const receipts = add(batcher, "a", "b", "c");
  expect(receipts[0]).toBe(receipts[1]);
  expect(receipts[2]).not.toBe(receipts[0]);
  const outcome = { stored: false, retry: true, message: "late" } as const;
  out[0]!.receipt.settle(outcome);
  out[0]!.receipt.settle({ stored: true });
  expect(await receipts[0]!.settled).toEqual(outcome);
  expect(receipts[2]!.outcome).toBeUndefined();
});

test("room is made by settling, well or badly", async () => {
  const batcher = batcherOf({ maxPendingBytes: 200 });
  batcher.checkRoom(1);
  add(batcher, "a".repeat(200));
  await pass(1);
  expect(batcher.pendingBytes).toBe(out[0]!.bytes.length);
  expect(() => batcher.checkRoom(1)).toThrow(
    expect.objectContaining({
      kind: "exhausted",
      message: `collector: ${out[0]!.bytes.length} bytes wait for ingest already`,
      retryAfterMs: 1_000,
    }),
  );
  out[0]!.receipt.settle({ stored: false, retry: false, message: "refused" });
  await pass(0);
  expect(batcher.pendingBytes).toBe(0);
  batcher.checkRoom(1);
});
