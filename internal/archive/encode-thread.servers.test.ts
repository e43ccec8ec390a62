import { afterEach, expect, test } from "vitest";
import { testBatch } from "../../test/kit/batches.ts";
import type { StreamBatch } from "../stream/partition-feed.ts";
import { encodeBatches } from "./encode.ts";
import { EncodeThread } from "./encode-thread.ts";

const FACTS = { partition: 0, partitions: 1, firstSeq: 1, lastSeq: 100 };

let thread: EncodeThread;
afterEach(() => thread?.close());

const message = (bytes: Uint8Array, seq: number): StreamBatch => ({
  seq,
  storedTime: 1_767_323_045_678 + seq,
  pending: 0,
  bytes,
});

/** The bytes of a batch of so many rows. */
function batchOf(rows: number): Uint8Array {
  const event = (at: number) => ({
    merchantId: 1,
    time: 1_767_323_045_000 + at,
    url: `https://a.example/${at}`,
  });
  return testBatch(
    Array.from({ length: rows }, (_, at) => event(at)),
    { partition: 0 },
  ).bytes;
}

/** Batches of so many rows, with one in the middle that is none. */
function group(rows: number): StreamBatch[] {
  const bytes = Array.from({ length: 4 }, () => batchOf(rows));
  return [bytes[0]!, bytes[1]!, Buffer.from("no batch at all"), bytes[2]!, bytes[3]!].map((each, at) =>
    message(each, at + 1),
  );
}

test("the thread makes what encodeBatches makes, and names the batches that it dead-letters", async () => {
  thread = new EncodeThread();
  const groups = [group(3), group(50), [message(Buffer.from("none"), 7)]];
  const encoded = await Promise.all(groups.map((batches) => thread.encode(batches, FACTS)));
  for (const [at, batches] of groups.entries()) {
    const expected = await encodeBatches(batches, FACTS);
    expect(encoded[at]).toEqual(expected);
    expect(encoded[at]!.deadLetters[0]!.message).toBe(expected.deadLetters[0]!.message);
  }
});

test("the event loop has its turns while a large group is encoded", async () => {
  thread = new EncodeThread();
  await thread.encode(group(1), FACTS);
  const large = Array.from({ length: 40 }, (_, at) => message(batchOf(2_000), at + 1));
  let turns = 0;
  const timer = setInterval(() => turns++, 5);
  const start = performance.now();
  await thread.encode(large, FACTS);
  clearInterval(timer);
  // In this thread it would have one for each row group and each look at one: every half second or so.
  expect(turns).toBeGreaterThan((performance.now() - start) / 100);
});

test("a thread that ended fails what it had, and the next group gets another", async () => {
  thread = new EncodeThread();
  const lost = thread.encode(group(2_000), FACTS);
  const refused = expect(lost).rejects.toThrow("the encoding thread has ended");
  await thread.close();
  await refused;
  expect((await thread.encode(group(2), FACTS)).batches).toBe(4);
});
