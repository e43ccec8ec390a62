import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import type { NatsConnection } from "./connect.ts";
import { checkStream } from "./stream-check.ts";
import { eventsStream, isNotFound } from "./streams.ts";

/** A durable consumer of each partition's stream, whose lag operators can watch. */
export interface Durable {
  readonly name: string;
  /** How long JetStream waits for an ack before it delivers again, ms. */
  readonly ackWaitMs: number;
  /** Most batches that may wait for their ack; -1 for no limit. */
  readonly maxUnacked: number;
}

/** The aggregator's consumer. */
export const CONSUMER = "aggregator";
const AGGREGATOR: Durable = { name: CONSUMER, ackWaitMs: 60_000, maxUnacked: 4_096 };

/** The archiver's, which holds batches for as long as an object grows. */
export const ARCHIVER: Durable = { name: "archiver", ackWaitMs: 86_400_000, maxUnacked: -1 };

/** More than subject and reply address take of a delivery, which JetStream counts along. */
const ENVELOPE_BYTES = 4 << 10;

export interface StreamBatch {
  readonly seq: number;
  /** When JetStream stored it, by the broker's clock: ms since 1970-01-01 UTC. */
  readonly storedTime: number;
  /** How many batches the stream held behind it when it was delivered. */
  readonly pending: number;
  readonly bytes: Uint8Array;
}

export interface FeedOptions {
  readonly partition: number;
  /** Sequence whose effect is committed already: the feed begins behind it. */
  readonly after: number;
  /** When JetStream stored what is there, ms; undefined where that is not known. */
  readonly afterTime?: number | undefined;
  /** Most bytes that are fetched ahead; as much as the server's largest message may take is fetched in any case. */
  readonly maxBytes: number;
  /** Default: the aggregator's. */
  readonly durable?: Durable;
}

/**
 * A partition's batches in order, from a sequence on. The position in the database is the truth: opening a
 * feed makes the durable consumer anew at that position, which also ends the feed of a former owner.
 */
export class PartitionFeed {
  readonly #messages: ConsumerMessages;
  readonly #status: StoppableStatus;
  readonly #iterator: AsyncIterator<JsMsg>;
  #pending: Promise<IteratorResult<JsMsg>> | undefined;
  #last: number;
  /** Deliveries that came. JetStream counts a consumer's deliveries, repeated ones too, without a gap. */
  #deliveries = 0;
  #why = "its consumer is gone";
  readonly #unacked: JsMsg[] = [];

  private constructor(nc: NatsConnection, messages: ConsumerMessages, after: number) {
    this.#messages = messages;
    this.#iterator = messages[Symbol.asyncIterator]();
    this.#last = after;
    this.#status = nc.status() as StoppableStatus;
    void this.#endAtReconnect();
  }

  /**
   * @throws StreamChangedError when the stream is not the one that was read up to `after`, StreamGoneError when it
   * does not exist; when JetStream does not answer.
   */
  static async open(nc: NatsConnection, options: FeedOptions): Promise<PartitionFeed> {
    const { partition, after, maxBytes, durable = AGGREGATOR } = options;
    await checkStream(nc, partition, { seq: after, storedTime: options.afterTime });
    const jsm = await jetstreamManager(nc);
    const stream = eventsStream(partition);
    await jsm.consumers.delete(stream, durable.name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    await jsm.consumers.add(stream, {
      durable_name: durable.name,
      ack_policy: AckPolicy.All,
      ack_wait: durable.ackWaitMs * 1_000_000,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
      max_ack_pending: durable.maxUnacked,
    });
    const consumer = await jetstream(nc).consumers.get(stream, durable.name);
    const messages = await consumer.consume({
      // JetStream would never send a message that is larger than what is asked for, nor any behind it.
      max_bytes: Math.max(maxBytes, nc.info!.max_payload + ENVELOPE_BYTES),
      expires: 10_000,
      abort_on_missing_resource: true,
    });
    return new PartitionFeed(nc, messages, after);
  }

  /**
   * The next batch, or undefined when none came within `waitMs`, or before the signal was aborted. A sequence that
   * is left out is not in the stream any more.
   * @throws when the feed ended: another owner opened one, or batches may have got lost on a connection that
   * broke. A new feed has them.
   */
  async next(waitMs: number, signal?: AbortSignal): Promise<StreamBatch | undefined> {
    for (;;) {
      this.#pending ??= this.#iterator.next();
      const result = await within(this.#pending, waitMs, signal);
      if (result === undefined) return undefined;
      this.#pending = undefined;
      if (result.done) throw new Error(`the feed ended: ${this.#why}`);
      const message = result.value;
      this.#checkDelivery(message);
      // Delivered again, because an ack came late or got lost: it is in hand or committed.
      if (message.seq <= this.#last) continue;
      this.#last = message.seq;
      this.#unacked.push(message);
      const { pending } = message.info;
      return { seq: message.seq, storedTime: message.time.getTime(), pending, bytes: message.data };
    }
  }

  /** Tells JetStream that all batches up to a sequence are committed. */
  ackThrough(seq: number): void {
    let last: JsMsg | undefined;
    while (this.#unacked.length > 0 && this.#unacked[0]!.seq <= seq) last = this.#unacked.shift();
    last?.ack();
  }

  async close(): Promise<void> {
    // close() waits for the iterator's own clean-up, which runs only in an iterator that was asked before, and
    // only when it is asked again or told to return.
    this.#pending ??= this.#iterator.next();
    this.#pending.catch(() => {});
    const returned = this.#iterator.return?.();
    this.#status.stop();
    await this.#messages.close();
    await returned;
  }

  /** JetStream waits long for the ack of a delivery that got lost, and meanwhile goes on behind it. */
  #checkDelivery(message: JsMsg): void {
    const delivery = message.info.deliverySequence;
    if (delivery !== ++this.#deliveries) {
      throw new Error(`the feed ended: delivery ${delivery} came where ${this.#deliveries} was due`);
    }
  }

  /** What was on its way when the connection broke would otherwise be missed only at the next delivery. */
  async #endAtReconnect(): Promise<void> {
    for await (const { type } of this.#status) {
      if (type !== "reconnect") continue;
      this.#why = "its connection was made anew";
      void this.#messages.close();
    }
  }
}

/** The client's own type leaves out that it can be stopped. */
type StoppableStatus = ReturnType<NatsConnection["status"]> & { stop(): void };

/** The promise's value, or undefined after `ms` or at an abort; a promise that is late stays usable. */
async function within<T>(promise: Promise<T>, ms: number, signal?: AbortSignal): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const giveUp = () => resolve(undefined);
  const timer = setTimeout(giveUp, signal?.aborted ? 0 : ms);
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}
