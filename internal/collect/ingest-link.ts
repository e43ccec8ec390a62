import type { ClientDuplexStream } from "@grpc/grpc-js";
import { formatId } from "../event/event-id.ts";
import { BatchRejectReason, BatchStatus, type PublishResponse } from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { OutgoingBatch } from "./batcher.ts";
import type { IngestClient } from "./ingest-client.ts";

export interface LinkOptions {
  /** How long a batch is tried before its events are given back for a retry, ms. */
  readonly deliverTimeoutMs: number;
  /** Told at each change between working and not. */
  readonly onState: (problem: string | undefined) => void;
}

interface Waiting extends OutgoingBatch {
  /** When to give up, by performance.now(). */
  readonly deadline: number;
}

/** First and longest pause before the stream is made again, ms. */
const BACKOFF_MS = { first: 50, longest: 2_000 };

/** Pause before a batch that JetStream could not take is sent again, ms. */
const RESEND_MS = 200;

/**
 * The stream of batches to ingest. Batches that are not answered when a stream breaks are sent again on the
 * next one, with the same id; one that is not stored before its deadline is given back.
 */
export class IngestLink {
  readonly #client: IngestClient;
  readonly #options: LinkOptions;
  readonly #waiting = new Map<string, Waiting>();
  /** Ids of waiting batches that the stream has no room for yet, in the order in which they are sent. */
  readonly #unsent = new Set<string>();
  #stream: ClientDuplexStream<Uint8Array, PublishResponse> | undefined;
  #backoff = BACKOFF_MS.first;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #sweep: NodeJS.Timeout;

  constructor(client: IngestClient, options: LinkOptions) {
    this.#client = client;
    this.#options = options;
    this.#sweep = setInterval(() => this.#giveUpLate(), 250);
    this.#connect();
  }

  /** Sends a batch; its ticket is settled when ingest answered or the deadline passed. */
  deliver(batch: OutgoingBatch): void {
    const waiting = { ...batch, deadline: performance.now() + this.#options.deliverTimeoutMs };
    const id = formatId(batch.batchId);
    this.#waiting.set(id, waiting);
    this.#unsent.add(id);
    this.#send();
  }

  /** Waits for the open batches' answers, then ends the stream. */
  async close(): Promise<void> {
    await Promise.all([...this.#waiting.values()].map(({ ticket }) => ticket.settled));
    this.#closed = true;
    clearInterval(this.#sweep);
    clearTimeout(this.#retry);
    this.#stream?.end();
  }

  #connect(): void {
    if (this.#closed) return;
    const stream = this.#client.publish();
    this.#stream = stream;
    stream.on("data", (response: PublishResponse) => this.#answered(response));
    stream.on("error", (error) => this.#broken(stream, error.message));
    stream.on("end", () => this.#broken(stream, "ingest ended the stream"));
    stream.on("metadata", () => {
      this.#backoff = BACKOFF_MS.first;
      this.#options.onState(undefined);
    });
    stream.on("drain", () => this.#send());
    for (const id of this.#waiting.keys()) this.#unsent.add(id);
    this.#send();
  }

  /** Writes what the stream has room for: it would keep whatever it is given, also when the batch is given up. */
  #send(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    for (const id of this.#unsent) {
      if (stream.writableNeedDrain) return;
      this.#unsent.delete(id);
      stream.write(this.#waiting.get(id)!.bytes);
    }
  }

  /** Forgets a batch that is answered or given up. */
  #forget(id: string): void {
    this.#waiting.delete(id);
    this.#unsent.delete(id);
  }

  #broken(stream: ClientDuplexStream<Uint8Array, PublishResponse>, message: string): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    if (this.#closed) return;
    this.#options.onState(`ingest: ${message}`);
    const wait = this.#backoff * (0.5 + Math.random());
    this.#backoff = Math.min(this.#backoff * 2, BACKOFF_MS.longest);
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #answered(response: PublishResponse): void {
    const id = formatId(response.batchId);
    const batch = this.#waiting.get(id);
    if (batch === undefined) return;
    if (response.status === BatchStatus.UNAVAILABLE) {
      setTimeout(() => this.#resend(id), RESEND_MS);
      return;
    }
    this.#forget(id);
    if (response.status === BatchStatus.STORED) {
      batch.ticket.settle({ stored: true });
    } else {
      const message = `${BatchRejectReason[response.reason]}: ${response.message}`;
      batch.ticket.settle({ stored: false, retry: false, message });
    }
  }

  #resend(id: string): void {
    if (!this.#waiting.has(id)) return;
    this.#unsent.add(id);
    this.#send();
  }

  #giveUpLate(): void {
    const now = performance.now();
    for (const [id, { deadline, ticket }] of this.#waiting) {
      if (deadline > now) continue;
      this.#forget(id);
      ticket.settle({ stored: false, retry: true, message: "ingest did not answer in time" });
    }
  }
}
