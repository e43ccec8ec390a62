import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../../test/kit/installation-wait.ts";
import { CLUSTER_START_MS, openTestNatsCluster, type TestNatsCluster } from "../../test/kit/nats-cluster.ts";
import { stepDownLeader } from "../embedded/nats/leader.ts";
import type { NatsConnection } from "./connect.ts";
import { overviewStreams } from "./overview.ts";
import { PartitionFeed } from "./partition-feed.ts";
import { BatchPublisher } from "./publisher.ts";
import { ensureStreams, eventsStream, streamEnd } from "./streams.ts";

const WAIT_MS = 90_000;
/** Pause of each worker of the load between two batches. */
const PACE_MS = 20;
const LIMITS = { replicas: 3, maxAgeMs: 3_600_000, maxBytes: 64 << 20 };

let cluster: TestNatsCluster;
let nc: NatsConnection;

beforeAll(async () => {
  cluster = await openTestNatsCluster();
  nc = await cluster.connect();
  await settles("the streams", () => ensureStreams(nc, 1, LIMITS));
}, CLUSTER_START_MS);

afterAll(() => cluster?.close());

/** Does something until it succeeds: while leaders are elected, nobody may answer for a moment. */
function settles(what: string, act: () => Promise<unknown>): Promise<true> {
  return waitFor(what, () => act().then(() => true as const), WAIT_MS);
}

/** Publishes batch after batch, some at a time, each under its id until it is acked. */
class Load {
  /** The sequence in each ack, by the batch's text. */
  readonly acked = new Map<string, number>();
  /** Tries that were not acked. */
  failures = 0;
  readonly #publisher: BatchPublisher;
  readonly #workers: Promise<void>[];
  #next = 0;
  #stopped = false;

  constructor(connection: NatsConnection) {
    this.#publisher = new BatchPublisher(connection, 2_000);
    this.#workers = Array.from({ length: 8 }, () => this.#work());
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const text = `batch ${this.#next++}`;
      this.acked.set(text, await this.#publish(text));
      await sleep(PACE_MS);
    }
  }

  async #publish(text: string): Promise<number> {
    for (;;) {
      try {
        return await this.#publisher.publish(0, text, Buffer.from(text.padEnd(1_024)));
      } catch {
        this.failures++;
        await sleep(50);
      }
    }
  }

  /** Waits until so many more are acked. */
  more(count: number): Promise<unknown> {
    const enough = this.acked.size + count;
    return waitFor(`${count} more acks`, async () => this.acked.size >= enough, WAIT_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }
}

/** Takes from feeds, each opened behind what was taken, as an aggregator does. */
class Reader {
  readonly taken: { seq: number; text: string }[] = [];
  /** How often a feed ended. */
  ends = 0;
  #stopped = false;
  readonly #nc: NatsConnection;
  readonly #running: Promise<void>;

  constructor(connection: NatsConnection) {
    this.#nc = connection;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#read();
      } catch {
        this.ends++;
        await sleep(50);
      }
    }
  }

  async #read(): Promise<void> {
    const after = this.taken.at(-1)?.seq ?? 0;
    const feed = await PartitionFeed.open(this.#nc, { partition: 0, after, maxBytes: 1 << 20 });
    try {
      while (!this.#stopped) {
        const batch = await feed.next(200);
        if (batch === undefined) continue;
        this.taken.push({ seq: batch.seq, text: Buffer.from(batch.bytes).toString().trimEnd() });
        feed.ackThrough(batch.seq);
      }
    } finally {
      await feed.close();
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

test("kill -9 of any one server and changes of the leader: what was acked is read once, in order", async () => {
  const load = new Load(await cluster.connect());
  const reader = new Reader(await cluster.connect());
  await load.more(50);
  // Wherever the stream's leader is, one of these is it.
  for (const node of cluster.nodes) {
    await node.kill();
    await load.more(50);
    await settles(`${node.name} to be back`, () => node.start());
  }
  for (let i = 0; i < 2; i++) {
    await settles("another leader", () => stepDownLeader(nc, eventsStream(0), 10_000));
    await load.more(50);
  }
  await load.stop();
  const { lastSeq } = await waitFor("the end", () => streamEnd(nc, 0), WAIT_MS);
  await waitFor("all to be read", async () => reader.taken.at(-1)?.seq === lastSeq, WAIT_MS);
  await reader.stop();
  expect(reader.taken.map(({ seq }) => seq)).toEqual(Array.from({ length: lastSeq }, (_, at) => at + 1));
  const read = new Map(reader.taken.map(({ seq, text }) => [text, seq]));
  expect(read.size).toBe(reader.taken.length);
  expect([...load.acked].filter(([text, seq]) => read.get(text) !== seq)).toEqual([]);
  expect(load.acked.size).toBeGreaterThan(300);
  // The deaths were felt: acks failed or feeds ended, and were made good.
  expect(load.failures + reader.ends).toBeGreaterThan(0);
}, 600_000);

test("streams of one replica are refused where three are promised; admin's apply makes them three", async () => {
  const one = { ...LIMITS, replicas: 1 };
  await settles("the streams", () => ensureStreams(nc, 1, LIMITS));
  await settles("a stream more", () => overviewStreams(nc, { partitions: 2, limits: one, apply: true }));
  await settles("the refusal", () =>
    expect(ensureStreams(nc, 2, LIMITS)).rejects.toThrow(/EVENTS_1.*: num_replicas is 1, promised 3/),
  );
  const applies = async () => {
    const applied = await overviewStreams(nc, { partitions: 2, limits: LIMITS, apply: true });
    return applied.find(({ name }) => name === "EVENTS_1")!.applied === "updated";
  };
  await waitFor("the change", applies, WAIT_MS);
  await settles("the streams", () => ensureStreams(nc, 2, LIMITS));
  await waitFor(
    "the replicas to catch up",
    async () => {
      const seen = await overviewStreams(nc, { partitions: 2, limits: LIMITS, apply: false });
      return seen.every(({ state }) => state?.currentReplicas === 2);
    },
    WAIT_MS,
  );
}, 600_000);
