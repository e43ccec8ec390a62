import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import { failpoint } from "../failpoint/failpoint.ts";
import { Failure } from "../failure/failure.ts";
import type { NatsConnection } from "./connect.ts";
import { DEAD_LETTER_STREAM, deadLetterSubject, eventsStream, eventsSubject } from "./names.ts";
import { type RefusalOrigin, refusalHeaders } from "./refusal-headers.ts";

export { MAX_HEADER_BYTES, type RefusalOrigin } from "./refusal-headers.ts";

/** Publishes batches to JetStream; each promise resolves with JetStream's own ack. */
export class BatchPublisher {
  readonly #js: JetStreamClient;
  readonly #timeoutMs: number;
  readonly #onSilence: (stream: string) => void;

  /**
   * @param timeoutMs how long to wait for an ack.
   * @param onSilence called when no server answers for a stream: it is gone, or JetStream is.
   */
  constructor(nc: NatsConnection, timeoutMs: number, onSilence: (stream: string) => void = () => {}) {
    this.#js = jetstream(nc);
    this.#timeoutMs = timeoutMs;
    this.#onSilence = onSilence;
  }

  /**
   * @param messageId JetStream leaves out a second message of this id within two minutes: the batch's own id.
   * @returns the batch's sequence in its partition's stream.
   * @throws Failure unavailable when JetStream did not ack in time or refused; the batch may be stored all
   * the same, and may be published again.
   */
  async publish(partition: number, messageId: string, bytes: Uint8Array): Promise<number> {
    try {
      const options = { msgID: messageId, timeout: this.#timeoutMs };
      failpoint("publish.before");
      const acked = this.#js.publish(eventsSubject(partition), bytes, options);
      failpoint("publish.after");
      const ack = await acked;
      failpoint("jetstream-ack.before");
      return ack.seq;
    } catch (error) {
      throw this.#unavailable(eventsStream(partition), error);
    }
  }

  /**
   * Keeps a refused batch with its reason.
   * @param origin of one that came from a partition's stream: it is kept once for its place there, however often
   * this is called within two minutes.
   * @throws Failure unavailable, as publish does.
   */
  async reject(
    partition: number | undefined,
    reason: string,
    message: string,
    bytes: Uint8Array,
    origin?: RefusalOrigin,
  ): Promise<void> {
    const once = origin && { msgID: `${origin.stream}:${origin.sequence}` };
    try {
      const head = refusalHeaders(reason, message, origin);
      const options = { ...once, headers: head, timeout: this.#timeoutMs };
      await this.#js.publish(deadLetterSubject(partition), bytes, options);
    } catch (error) {
      throw this.#unavailable(DEAD_LETTER_STREAM, error);
    }
  }

  #unavailable(stream: string, cause: unknown): Failure {
    const isSilent = cause instanceof Error && cause.name === NO_RESPONDERS;
    if (isSilent) this.#onSilence(stream);
    const reason = isSilent
      ? "no server answers: the stream does not exist or has no leader, or JetStream is off (`admin streams show`)"
      : cause instanceof Error
        ? cause.message
        : String(cause);
    return new Failure("unavailable", `JetStream: ${stream}: ${reason}`, { cause, retryAfterMs: 250 });
  }
}

/** The client's name for "no responders" to a publish, whatever the reason. */
const NO_RESPONDERS = "JetStreamNotEnabled";
