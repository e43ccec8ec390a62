import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import type { NatsConnection } from "./connect.ts";
import { eventsStream, isNotFound } from "./streams.ts";

/** The durable consumer of each partition's stream, whose lag operators can watch. */
export const CONSUMER = "aggregator";

/** How long JetStream waits for an ack before it delivers again, ms. */
const ACK_WAIT_MS = 60_000;

export interface StreamBatch {
  readonly seq: number;
  /** When JetStream stored it, by the broker's clock: ms since 1970-01-01 UTC. */
  readonly storedTime: number;
  readonly bytes: Uint8Array;
}

export interface FeedOptions {
  readonly partition: number;
  /** Sequence whose effect is committed already: the feed begins behind it. */
  readonly after: number;
  /** Most bytes that are fetched ahead. */
  readonly maxBytes: number;
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

  /** @throws when JetStream does not answer, or has no such stream. */
  static async open(nc: NatsConnection, { partition, after, maxBytes }: FeedOptions): Promise<PartitionFeed> {
    const jsm = await jetstreamManager(nc);
    const stream = eventsStream(partition);
    await jsm.consumers.delete(stream, CONSUMER).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    await jsm.consumers.add(stream, {
      durable_name: CONSUMER,
      ack_policy: AckPolicy.All,
      ack_wait: ACK_WAIT_MS * 1_000_000,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
      max_ack_pending: 4_096,
    });
    const consumer = await jetstream(nc).consumers.get(stream, CONSUMER);
    const messages = await consumer.consume({
      max_bytes: maxBytes,
      expires: 10_000,
      abort_on_missing_resource: true,
    });
    return new PartitionFeed(nc, messages, after);
  }

  /**
   * The next batch, or undefined when none came within `waitMs`, or before the signal was aborted. A sequence that is left out is not in the
   * stream any more.
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
      return { seq: message.seq, storedTime: message.time.getTime(), bytes: message.data };
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

  /** JetStream waits ACK_WAIT_MS for the ack of a delivery that got lost, and meanwhile goes on behind it. */
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
