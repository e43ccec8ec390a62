import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { prepare, readBatch } from "../../../internal/aggregate/prepare.ts";
import { STEPS } from "../../../internal/aggregate/steps/process.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import { readPosition } from "../../../internal/store/positions.ts";
import { type Committed, commitBatches } from "../../../internal/store/write-batches.ts";
import type { NatsConnection } from "../../../internal/stream/connect.ts";
import { CONSUMER, PartitionFeed, type StreamBatch } from "../../../internal/stream/partition-feed.ts";
import { BatchPublisher } from "../../../internal/stream/publisher.ts";
import { eventsStream, streamEnd } from "../../../internal/stream/streams.ts";
import { merchantsOf, type TestBatch, type TestEvent, testBatch } from "../../kit/batches.ts";
import { waitFor } from "../../kit/installation-wait.ts";
import { testContext } from "../../kit/step-context.ts";
import { eventsOf, members, type World } from "../state.ts";

const PARTITION = 0;
export const PARTITIONS = 4;
const STREAM = eventsStream(PARTITION);
const WAIT_MS = 20_000;
const NANOS = 1_000_000;

/** What an aggregator of the test has in hand. */
interface Hand {
  readonly feed: PartitionFeed;
  readonly after: number;
  readonly batches: StreamBatch[];
  /** A batch that came before it was asked for. */
  readonly early: StreamBatch[];
}

export interface Servers {
  readonly pool: Pool;
  readonly nc: NatsConnection;
}

/** Longest wait for JetStream to deliver again, ms. */
const REDELIVERY_MS = 500;

/**
 * The real publisher, feed and commit of one partition, step by step as the model takes them. Sequences count
 * from what earlier runs have left in the stream.
 */
export class Real {
  readonly world: World;
  readonly #servers: Servers;
  readonly #publisher: BatchPublisher;
  readonly #jsm: JetStreamManager;
  readonly #base: number;
  readonly #batches: readonly TestBatch[];
  readonly #mark = crypto.randomUUID();
  readonly #hands = new Map<number, Hand>();
  /** JetStream's duplicate windows that have ended. */
  #windows = 0;

  private constructor(world: World, servers: Servers, jsm: JetStreamManager, base: number) {
    this.world = world;
    this.#servers = servers;
    this.#jsm = jsm;
    this.#base = base;
    this.#publisher = new BatchPublisher(servers.nc, 5_000);
    const events = this.#events();
    this.#batches = world.requests.map((_, batch) =>
      testBatch(
        members(eventsOf(world, batch)).map((event) => events[event]!),
        { partition: PARTITION },
      ),
    );
  }

  /** Begins behind all that is in the stream, with new ids. */
  static async begin(world: World, servers: Servers): Promise<Real> {
    const { lastSeq } = await streamEnd(servers.nc, PARTITION);
    await servers.pool.query(
      "UPDATE partitions SET stream_seq = $1, stream_stored_at = NULL WHERE partition_id = $2",
      [lastSeq, PARTITION],
    );
    const jsm = await jetstreamManager(servers.nc);
    await jsm.consumers.delete(STREAM, CONSUMER).catch(() => {});
    return new Real(world, servers, jsm, lastSeq);
  }

  /** Events tell themselves apart by their URL; ids are UUIDv4 and v7 in turn. */
  #events(): TestEvent[] {
    const [merchantId] = merchantsOf(PARTITION, PARTITIONS, 1) as [number];
    const v7 = (event: number) => `01990000-000${event}-7${crypto.randomUUID().slice(15)}`;
    return members(this.world.requests.reduce((all, events) => all | events, 0)).map((event) => {
      const eventId = event % 2 === 0 ? crypto.randomUUID() : v7(event);
      return {
        merchantId,
        time: Date.UTC(2026, 2, 29, 12, event),
        url: `https://shop.example/${this.#mark}/${event}`,
        ...((this.world.keyed >> event) & 1 ? { eventId } : {}),
      };
    });
  }

  /** @returns the sequence that JetStream answers. */
  async publish(batch: number): Promise<number> {
    const { id, bytes } = this.#batches[batch]!;
    return (await this.#publisher.publish(PARTITION, `${id} ${this.#windows}`, bytes)) - this.#base;
  }

  endWindow(): void {
    this.#windows++;
  }

  async takeUp(at: number): Promise<number> {
    await this.drop(at);
    const { seq: after, storedTime: afterTime } = await readPosition(this.#servers.pool, PARTITION);
    const options = { partition: PARTITION, after, afterTime, maxBytes: 1 << 20 };
    const feed = await PartitionFeed.open(this.#servers.nc, options);
    // A feed begins to ask for batches when it is asked itself; before, it would not hear that it was ended.
    const early = await feed.next(0);
    this.#hands.set(at, { feed, after, batches: [], early: early === undefined ? [] : [early] });
    await waitFor("the feed's request", async () => {
      const { num_waiting } = await this.#jsm.consumers.info(STREAM, CONSUMER);
      return num_waiting > 0;
    });
    return after - this.#base;
  }

  /** The next sequence, and which batch it is. */
  async read(at: number): Promise<{ seq: number; batch: number }> {
    const { feed, batches, early } = this.#hands.get(at)!;
    const message = early.pop() ?? (await feed.next(WAIT_MS));
    if (message === undefined) throw new Error("no batch came");
    batches.push(message);
    const bytes = Buffer.from(message.bytes);
    return {
      seq: message.seq - this.#base,
      batch: this.#batches.findIndex((batch) => bytes.equals(batch.bytes)),
    };
  }

  /** Takes from a feed that another aggregator has ended, until it says so. */
  async seesFeedEnd(at: number): Promise<string> {
    const { feed } = this.#hands.get(at)!;
    try {
      while ((await feed.next(WAIT_MS)) !== undefined);
      return "quiet";
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Commits what is in hand. @param poison batches that cannot be processed just now. */
  commit(at: number, poison: number, pool = this.#servers.pool): Promise<Committed> {
    const { after, batches } = this.#hands.get(at)!;
    const writes = batches.flatMap((message) => {
      const read = readBatch(message, PARTITION, PARTITIONS);
      const write = prepare(read, { context: testContext(), steps: STEPS, observe: () => {} });
      const batch = this.#batches.findIndex(({ id }) => id === write?.batchId);
      if (write === undefined || batch === -1) throw new Error("a batch that nobody has published");
      return [(poison >> batch) & 1 ? { ...write, columns: undefined } : write];
    });
    const last = batches.at(-1)!;
    const storedThrough = last.storedTime;
    const commit = {
      partition: PARTITION,
      after,
      through: last.seq,
      storedThrough,
      batches: writes,
      gaps: [],
    };
    return commitBatches(pool, commit);
  }

  /** Tells JetStream, and waits until it knows. */
  async ack(at: number): Promise<void> {
    const { feed, batches, early } = this.#hands.get(at)!;
    const through = batches.at(-1)!.seq;
    feed.ackThrough(through);
    this.#hands.set(at, { feed, after: through, batches: [], early });
    await this.#servers.nc.flush();
  }

  /** Makes JetStream deliver again what is not acked. */
  async redeliver(): Promise<void> {
    const waits = (ms: number) => this.#jsm.consumers.update(STREAM, CONSUMER, { ack_wait: ms * NANOS });
    await waits(20);
    // JetStream may see nothing to deliver again where an ack is still on its way.
    await waitFor(
      "a redelivery",
      async () => (await this.#jsm.consumers.info(STREAM, CONSUMER)).num_redelivered > 0,
      REDELIVERY_MS,
    ).catch(() => {});
    await waits(60_000);
  }

  /** The aggregator is gone, with all that it had in hand. */
  async drop(at: number): Promise<void> {
    await this.#hands.get(at)?.feed.close();
    this.#hands.delete(at);
  }

  /** What the tables and JetStream's consumer hold, in the model's terms. */
  async look() {
    const { rows } = await this.#servers.pool.query<{
      seq: string;
      urls: string[] | null;
      stored: string[] | null;
      deadLettered: string[] | null;
    }>(
      `SELECT stream_seq AS seq,
         (SELECT array_agg(url) FROM events WHERE url LIKE $2) AS urls,
         (SELECT array_agg(batch_id) FROM batch_ledger WHERE dead_lettered = 0 AND batch_id = ANY($3)) AS stored,
         (SELECT array_agg(batch_id) FROM batch_ledger WHERE dead_lettered > 0 AND batch_id = ANY($3)) AS "deadLettered"
       FROM partitions WHERE partition_id = $1`,
      [PARTITION, `https://shop.example/${this.#mark}/%`, this.#batches.map(({ id }) => id)],
    );
    const { seq, urls, stored, deadLettered } = rows[0]!;
    const mask = (ids: string[] | null) =>
      this.#batches.reduce((sum, { id }, at) => ((ids ?? []).includes(id) ? sum | (1 << at) : sum), 0);
    const copies = (event: number) => (urls ?? []).filter((url) => url.endsWith(`/${event}`)).length;
    const events = members(this.world.requests.reduce((all, request) => all | request, 0));
    return {
      position: Number(seq) - this.#base,
      ledger: mask(stored),
      ledgerDeadLettered: mask(deadLettered),
      rows: events.map(copies),
    };
  }

  /** The last sequence that JetStream knows to be acked; undefined when its consumer has seen no ack. */
  async floor(): Promise<number | undefined> {
    const info = await this.#jsm.consumers.info(STREAM, CONSUMER).catch(() => undefined);
    return info?.ack_floor.consumer_seq ? info.ack_floor.stream_seq - this.#base : undefined;
  }

  async end(): Promise<void> {
    for (const at of [...this.#hands.keys()]) await this.drop(at);
  }
}
