import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import { failpoint } from "../failpoint/failpoint.ts";
import { Failure } from "../failure/failure.ts";
import type { NatsConnection } from "./connect.ts";
import { eventsSubject, rejectedSubject } from "./streams.ts";

/** Headers of a refused batch. */
export const REASON_HEADER = "Footfall-Reason";
export const MESSAGE_HEADER = "Footfall-Message";

/** Publishes batches to JetStream; each promise resolves with JetStream's own ack. */
export class BatchPublisher {
  readonly #js: JetStreamClient;
  readonly #timeoutMs: number;

  /** @param timeoutMs how long to wait for an ack. */
  constructor(nc: NatsConnection, timeoutMs: number) {
    this.#js = jetstream(nc);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param batchId JetStream leaves out a second batch of this id within two minutes.
   * @returns the batch's sequence in its partition's stream.
   * @throws Failure unavailable when JetStream did not ack in time or refused; the batch may be stored all
   * the same, and may be published again.
   */
  async publish(partition: number, batchId: string, bytes: Uint8Array): Promise<number> {
    try {
      const options = { msgID: batchId, timeout: this.#timeoutMs };
      failpoint("publish.before");
      const acked = this.#js.publish(eventsSubject(partition), bytes, options);
      failpoint("publish.after");
      const ack = await acked;
      failpoint("jetstream-ack.before");
      return ack.seq;
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Keeps a refused batch with its reason. @throws Failure unavailable, as publish does. */
  async reject(
    partition: number | undefined,
    reason: string,
    message: string,
    bytes: Uint8Array,
  ): Promise<void> {
    const head = headers();
    head.set(REASON_HEADER, reason);
    // A header ends at a line break.
    head.set(MESSAGE_HEADER, message.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 1_024));
    try {
      const options = { headers: head, timeout: this.#timeoutMs };
      await this.#js.publish(rejectedSubject(partition), bytes, options);
    } catch (error) {
      throw unavailable(error);
    }
  }
}

function unavailable(cause: unknown): Failure {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new Failure("unavailable", `JetStream: ${message}`, { cause, retryAfterMs: 250 });
}
