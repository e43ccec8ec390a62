import { type JetStreamManager, jetstreamManager, type MsgRequest, type StoredMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "./connect.ts";
import { DEAD_LETTER_STREAM, deadLetterSubject } from "./names.ts";
import {
  BATCH_ID_HEADER,
  MESSAGE_HEADER,
  REASON_HEADER,
  SEQUENCE_HEADER,
  STACK_HEADER,
  STREAM_HEADER,
} from "./refusal-headers.ts";
import { isNotFound } from "./streams.ts";

/** A batch as the stream of refused batches keeps it. */
export interface DeadLetterMessage {
  /** Its sequence there. */
  readonly seq: number;
  /** When it was refused, by the broker's clock: ms since 1970-01-01 UTC. */
  readonly time: number;
  /** Undefined where it could not be read when the batch was refused. */
  readonly partition: number | undefined;
  /** A name of BatchRejectReason. */
  readonly reason: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** The partition's stream that it came from, and its sequence there; undefined where ingest refused it. */
  readonly origin: { readonly stream: string; readonly sequence: number } | undefined;
  readonly batchId: string | undefined;
  readonly bytes: Uint8Array;
}

/** Longest wait for an answer, ms: while a cluster elects a leader nobody answers. */
const TIMEOUT_MS = 10_000;

/** The stream of refused batches, for reading and taking out. */
export class DeadLetterStream {
  readonly #jsm: JetStreamManager;

  private constructor(jsm: JetStreamManager) {
    this.#jsm = jsm;
  }

  static async open(nc: NatsConnection): Promise<DeadLetterStream> {
    return new DeadLetterStream(await jetstreamManager(nc, { timeout: TIMEOUT_MS }));
  }

  /** The sequence of the last batch that was refused; 0 when none ever was. */
  async lastSeq(): Promise<number> {
    return (await this.#jsm.streams.info(DEAD_LETTER_STREAM)).state.last_seq;
  }

  /** The first batch from a sequence on, of one partition if that is given; undefined when there is none. */
  async next(from: number, partition?: number): Promise<DeadLetterMessage | undefined> {
    const subject = partition === undefined ? "dead_letter.>" : deadLetterSubject(partition);
    // The client's type leaves this form of the request out.
    const request = { seq: from, next_by_subj: subject } as unknown as MsgRequest;
    try {
      const message = await this.#jsm.streams.getMessage(DEAD_LETTER_STREAM, request);
      return message === null ? undefined : read(message);
    } catch (error) {
      if (isNotFound(error) || isNoMessage(error)) return undefined;
      throw error;
    }
  }

  /** Takes a batch out. @returns false when it was gone. */
  async remove(seq: number): Promise<boolean> {
    try {
      // Its bytes are nobody's secret: they need not be overwritten.
      return await this.#jsm.streams.deleteMessage(DEAD_LETTER_STREAM, seq, false);
    } catch (error) {
      if (isNoMessage(error)) return false;
      throw error;
    }
  }
}

/** JetStream's codes for a message that is not there: when asked for, and when deleted. */
function isNoMessage(error: unknown): boolean {
  const { code, message = "" } = error as { code?: number; message?: string };
  return code === 10_037 || code === 10_043 || /no message found|not found/.test(message);
}

function read({ seq, time, subject, header, data }: StoredMsg): DeadLetterMessage {
  const partition = subject.slice(deadLetterSubject(0).length - 1);
  const get = (name: string) => header?.get(name) || undefined;
  const stream = get(STREAM_HEADER);
  return {
    seq,
    time: time.getTime(),
    partition: /^\d+$/.test(partition) ? Number(partition) : undefined,
    reason: get(REASON_HEADER) ?? "",
    message: get(MESSAGE_HEADER) ?? "",
    stack: get(STACK_HEADER),
    origin: stream === undefined ? undefined : { stream, sequence: Number(get(SEQUENCE_HEADER)) },
    batchId: get(BATCH_ID_HEADER),
    bytes: data,
  };
}
