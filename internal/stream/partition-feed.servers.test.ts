import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { LineProxy } from "../../test/kit/line-proxy.ts";
import { ensureTestStreams, openTestNats, type TestNats } from "../../test/kit/nats.ts";
import type { NatsConnection } from "./connect.ts";
import { ARCHIVER, CONSUMER, PartitionFeed, type StreamBatch } from "./partition-feed.ts";
import { BatchPublisher, MAX_HEADER_BYTES } from "./publisher.ts";
import { eventsStream, streamEnd } from "./streams.ts";

const WAIT_MS = 20_000;

let nats: TestNats;
let nc: NatsConnection;
let publisher: BatchPublisher;
/** Each test has a partition of its own. */
let partition = -1;
const open: PartitionFeed[] = [];

beforeAll(async () => {
  nats = await openTestNats();
  nc = await nats.connect();
  publisher = new BatchPublisher(nc, 5_000);
  await ensureTestStreams(nc, 12);
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((feed) => feed.close()));
});

afterAll(() => nats?.close());

let published = 0;

/** Publishes `count` batches whose text is their sequence. */
async function publish(count: number): Promise<void> {
  const first = (await streamEnd(nc, partition)).lastSeq + 1;
  for (let seq = first; seq < first + count; seq++) {
    expect(await publisher.publish(partition, `id-${++published}`, Buffer.from(`batch ${seq}`))).toBe(seq);
  }
}

async function feedFrom(after: number, connection = nc): Promise<PartitionFeed> {
  const feed = await PartitionFeed.open(connection, { partition, after, maxBytes: 1 << 20 });
  open.push(feed);
  return feed;
}

/** The next batches' sequences; each batch must be the one that was published there. */
async function take(feed: PartitionFeed, count: number): Promise<number[]> {
  const seqs: number[] = [];
  while (seqs.length < count) {
    const batch = await feed.next(WAIT_MS);
    if (batch === undefined) throw new Error(`${seqs.length} of ${count} batches came within ${WAIT_MS} ms`);
    expect(Buffer.from(batch.bytes).toString()).toBe(`batch ${batch.seq}`);
    seqs.push(batch.seq);
  }
  return seqs;
}

/** Takes from a feed until it ends. */
async function drain(feed: PartitionFeed, taken: StreamBatch[] = []): Promise<string> {
  for (;;) {
    try {
      const batch = await feed.next(WAIT_MS);
      if (batch === undefined) return "quiet";
      taken.push(batch);
    } catch (error) {
      return (error as Error).message;
    }
  }
}

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

const consumer = async () => (await jetstreamManager(nc)).consumers.info(eventsStream(partition), CONSUMER);

test("batches come in their order, with the time at which they were stored; then nothing within the wait", async () => {
  partition++;
  const before = Date.now();
  await publish(250);
  const feed = await feedFrom(0);
  const first = await feed.next(WAIT_MS);
  expect(first).toMatchObject({ seq: 1 });
  // One machine, one clock; JetStream's is finer than a millisecond.
  expect(first!.storedTime).toBeGreaterThanOrEqual(before - 1);
  expect(first!.storedTime).toBeLessThanOrEqual(Date.now() + 1);
  expect(await take(feed, 249)).toEqual(range(2, 250));
  expect(await feed.next(20)).toBeUndefined();
  await publish(1);
  expect(await take(feed, 1)).toEqual([251]);
});

test("a batch larger than what is fetched ahead comes too, and those behind it", async () => {
  partition++;
  const largest = nc.info!.max_payload - MAX_HEADER_BYTES;
  for (const size of [10, largest, 10]) {
    await publisher.publish(partition, crypto.randomUUID(), Buffer.alloc(size));
  }
  const feed = await feedFrom(0);
  const sizes = [];
  for (let i = 0; i < 3; i++) sizes.push((await feed.next(WAIT_MS))?.bytes.length);
  expect(sizes).toEqual([10, largest, 10]);
});

describe("opened again at a position", () => {
  test("it begins behind the position, whatever was acked or taken before", async () => {
    partition++;
    await publish(10);
    const first = await feedFrom(0);
    await take(first, 7);
    first.ackThrough(5);
    await first.close();
    // The database says 3: a commit that was acked and then lost with the database's last second.
    expect(await take(await feedFrom(3), 7)).toEqual(range(4, 10));
    await open.pop()!.close();
    expect(await (await feedFrom(10)).next(20)).toBeUndefined();
  });

  test("acks are what operators see as lag", async () => {
    partition++;
    await publish(6);
    const feed = await feedFrom(2);
    await take(feed, 4);
    feed.ackThrough(4);
    await waitFor("the ack", async () => (await consumer()).ack_floor.stream_seq === 4);
    feed.ackThrough(6);
    await waitFor("the ack", async () => (await consumer()).num_ack_pending === 0);
  });

  test("a second feed ends the first, and gets what was not committed", async () => {
    partition++;
    await publish(5);
    const first = await feedFrom(0);
    await take(first, 3);
    const second = await feedFrom(1);
    expect(await drain(first)).toMatch(/consumer|feed ended/i);
    expect(await take(second, 4)).toEqual(range(2, 5));
    await publish(2);
    expect(await take(second, 2)).toEqual([6, 7]);
    await expect(first.next(10)).rejects.toThrow();
  });
});

test("feeds of two consumers do not disturb each other, and each has its own acks", async () => {
  partition++;
  await publish(6);
  const first = await feedFrom(0);
  await take(first, 2);
  const archiver = await PartitionFeed.open(nc, {
    partition,
    after: 3,
    maxBytes: 1 << 20,
    durable: ARCHIVER,
  });
  open.push(archiver);
  const batches = [];
  for (let i = 0; i < 3; i++) batches.push(await archiver.next(WAIT_MS));
  expect(batches.map((batch) => [batch?.seq, batch?.pending])).toEqual([
    [4, 2],
    [5, 1],
    [6, 0],
  ]);
  archiver.ackThrough(5);
  expect(await take(first, 4)).toEqual(range(3, 6));
  const floor = async () => {
    const jsm = await jetstreamManager(nc);
    return (await jsm.consumers.info(eventsStream(partition), ARCHIVER.name)).ack_floor.stream_seq;
  };
  await waitFor("the ack", async () => (await floor()) === 5);
  expect((await consumer()).ack_floor.stream_seq).toBe(0);
});

describe("a stream that lost messages", () => {
  test("purged ones: the feed goes on behind them, and the gap shows in the sequences", async () => {
    partition++;
    await publish(10);
    const jsm = await jetstreamManager(nc);
    await jsm.streams.purge(eventsStream(partition), { seq: 5 });
    await jsm.streams.deleteMessage(eventsStream(partition), 8);
    expect(await take(await feedFrom(2), 5)).toEqual([5, 6, 7, 9, 10]);
  });

  test("a stream that does not exist is an error", async () => {
    const missing = PartitionFeed.open(nc, { partition: 99, after: 0, maxBytes: 1 << 20 });
    await expect(missing).rejects.toThrow(/^the stream EVENTS_99 does not exist/);
  });
});

describe("a connection that fails", () => {
  test("batches that got lost on it are not taken for missing: the feed ends, and the next one has them", async () => {
    partition++;
    const proxy = await LineProxy.start(Number(new URL(nats.url).port));
    try {
      const bad = await nats.connect(`nats://127.0.0.1:${proxy.port}`);
      await publish(3);
      const feed = await feedFrom(0, bad);
      await take(feed, 3);
      proxy.meetOnce({ kind: "lose answers" });
      await publish(4);
      await waitFor("JetStream to have sent them", async () => (await consumer()).delivered.stream_seq === 7);
      proxy.meetOnce({ kind: "cut" });
      const taken: StreamBatch[] = [];
      await publish(2);
      expect(await drain(feed, taken)).toBe("the feed ended: its connection was made anew");
      expect(taken.map(({ seq }) => seq)).toEqual([]);
      expect(await take(await feedFrom(3, bad), 6)).toEqual(range(4, 9));
    } finally {
      await proxy.close();
    }
  });

  test("nats-server killed and started again while a feed is open: nothing is lost or out of order", async () => {
    partition++;
    await publish(20);
    const feed = await feedFrom(0);
    await take(feed, 5);
    await nats.kill();
    // What had come before the end may still be taken.
    const rest: StreamBatch[] = [];
    const ended = drain(feed, rest);
    await nats.start();
    expect(await ended).toBe("the feed ended: its connection was made anew");
    expect(rest.map(({ seq }) => seq)).toEqual(range(6, 5 + rest.length));
    const again = await waitFor("JetStream", () => feedFrom(5), WAIT_MS);
    await publish(5);
    expect(await take(again, 20)).toEqual(range(6, 25));
  });
});
