import { randomBytes } from "node:crypto";
import { Duplex } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  BatchStatus,
  type PublishResponse,
  PublishResponseSchema,
} from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { OutgoingBatch } from "./batcher.ts";
import type { IngestClient } from "./ingest-client.ts";
import { IngestLink } from "./ingest-link.ts";
import { Receipt } from "./receipt.ts";

const ROOM = 4;

/** A stream to an ingest that takes a batch when the test says so. */
class SlowStream extends Duplex {
  readonly arrived: Uint8Array[] = [];
  #taken: (() => void) | undefined;

  constructor() {
    super({ objectMode: true, highWaterMark: ROOM });
  }

  override _write(bytes: Uint8Array, _: BufferEncoding, taken: () => void): void {
    this.arrived.push(bytes);
    this.#taken = taken;
  }

  override _read(): void {}

  takeOne(): void {
    this.#taken?.();
  }

  answer(batchId: Uint8Array): void {
    const response: PublishResponse = create(PublishResponseSchema, { batchId, status: BatchStatus.STORED });
    this.emit("data", response);
  }
}

let stream: SlowStream;
let link: IngestLink;
beforeEach(() => {
  vi.useFakeTimers();
  stream = new SlowStream();
  const client = { publish: () => stream } as unknown as IngestClient;
  link = new IngestLink(client, { deliverTimeoutMs: 1_000, onState: () => {}, streams: 1 });
});
afterEach(async () => {
  await vi.advanceTimersByTimeAsync(2_000);
  await link.close();
  vi.useRealTimers();
});

const batchOf = (): OutgoingBatch => ({
  batchId: randomBytes(16),
  partition: 0,
  bytes: randomBytes(8),
  rows: 1,
  receipt: new Receipt(),
});

test("an ingest that does not read is not given more than its stream has room for", async () => {
  const batches = Array.from({ length: 50 }, batchOf);
  for (const batch of batches) link.deliver(batch);
  expect(stream.writableLength).toBe(ROOM);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(batches.map(({ receipt }) => receipt.outcome)).toEqual(
    batches.map(() => expect.objectContaining({ stored: false, retry: true })),
  );
  // What was given up is not sent any more; what comes later is.
  const later = batchOf();
  link.deliver(later);
  for (let turn = 0; turn < 20; turn++) {
    stream.takeOne();
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(stream.arrived).toEqual([...batches.slice(0, ROOM), later].map(({ bytes }) => bytes));
  stream.answer(later.batchId);
  await vi.advanceTimersByTimeAsync(1);
  expect(later.receipt.outcome).toEqual({ stored: true });
});

test("all batches arrive, each once and in order, as ingest takes them", async () => {
  const batches = Array.from({ length: 50 }, batchOf);
  for (const batch of batches) link.deliver(batch);
  while (stream.arrived.length < batches.length) {
    stream.takeOne();
    await vi.advanceTimersByTimeAsync(1);
    expect(stream.writableLength).toBeLessThanOrEqual(ROOM);
  }
  stream.takeOne();
  expect(stream.arrived).toEqual(batches.map(({ bytes }) => bytes));
});
