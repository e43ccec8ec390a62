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

type BatchStream = ClientDuplexStream<Uint8Array, PublishResponse>;

interface Waiting extends OutgoingBatch {
  /** When to give up, by performance.now(). */
  readonly deadline: number;
  /** Someone else keeps it: when the stream breaks or ingest cannot take it, it is given back at once. */
  spooled: boolean;
  /** Written to the stream of this moment, and not answered. */
  sent: boolean;
}

/** First and longest pause before the stream is made again, ms. */
const BACKOFF_MS = { first: 50, longest: 2_000 };

/** Pause before a batch that JetStream could not take is sent again, ms. */
const RESEND_MS = 200;

/** Batches of the spool are written while the stream holds fewer than this: a live one never waits for many. */
const SPOOLED_AHEAD = 4;

/**
 * The stream of batches to ingest. Batches that are not answered when a stream breaks are sent again on the
 * next one, with the same id; one that is not stored before its deadline is given back.
 */
export class IngestLink {
  readonly #client: IngestClient;
  readonly #options: LinkOptions;
  readonly #waiting = new Map<string, Waiting>();
  /** Ids of waiting batches that the stream has no room for yet, in the order in which they are sent. */
  readonly #unsent = { live: new Set<string>(), spooled: new Set<string>() };
  #stream: BatchStream | undefined;
  #backoff = BACKOFF_MS.first;
  #retry: NodeJS.Timeout | undefined;
  #answeredTime = 0;
  #closing = false;
  #closed = false;
  readonly #sweep: NodeJS.Timeout;

  constructor(client: IngestClient, options: LinkOptions) {
    this.#client = client;
    this.#options = options;
    this.#sweep = setInterval(() => this.#giveUpLate(), 250);
    this.#connect();
  }

  /** When ingest last stored or refused a batch, by performance.now(). */
  get answeredTime(): number {
    return this.#answeredTime;
  }

  /**
   * Sends a batch; its ticket is settled when ingest answered or the deadline passed. One that comes from the
   * spool lets live ones pass, and is given back when the stream breaks.
   */
  deliver(batch: OutgoingBatch, from: "live" | "spooled" = "live"): void {
    const spooled = from === "spooled";
    const deadline = spooled ? Number.POSITIVE_INFINITY : performance.now() + this.#options.deliverTimeoutMs;
    const id = formatId(batch.batchId);
    this.#waiting.set(id, { ...batch, deadline, spooled, sent: false });
    this.#unsent[from].add(id);
    this.#send();
  }

  /** A live batch is no longer the link's care: it is given back, unless it was sent and may yet be answered. */
  release(batchId: Uint8Array): void {
    const id = formatId(batchId);
    const batch = this.#waiting.get(id);
    if (batch === undefined) return;
    batch.spooled = true;
    if (!batch.sent || this.#closing) this.#giveBack(id, "not sent");
  }

  /** Waits for the open batches' answers, then ends the stream. What is in the spool is not waited for. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const [id, { spooled }] of this.#waiting) if (spooled) this.#giveBack(id, "the link closes");
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
    for (const id of this.#waiting.keys()) this.#unsent.live.add(id);
    this.#send();
  }

  /** Writes what the stream has room for: it would keep whatever it is given, also when the batch is given up. */
  #send(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    for (const id of this.#unsent.live) {
      if (stream.writableNeedDrain) return;
      this.#write(stream, id);
    }
    for (const id of this.#unsent.spooled) {
      if (stream.writableLength >= SPOOLED_AHEAD) return;
      this.#write(stream, id, () => this.#send());
    }
  }

  #write(stream: BatchStream, id: string, written?: () => void): void {
    this.#unsent.live.delete(id);
    this.#unsent.spooled.delete(id);
    const batch = this.#waiting.get(id)!;
    batch.sent = true;
    stream.write(batch.bytes, written);
  }

  /** Forgets a batch that is answered or given up. */
  #forget(id: string): void {
    this.#waiting.delete(id);
    this.#unsent.live.delete(id);
    this.#unsent.spooled.delete(id);
  }

  #giveBack(id: string, message: string): void {
    const batch = this.#waiting.get(id);
    this.#forget(id);
    batch?.ticket.settle({ stored: false, retry: true, message });
  }

  #broken(stream: BatchStream, message: string): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    if (this.#closed) return;
    for (const [id, batch] of this.#waiting) {
      batch.sent = false;
      if (batch.spooled) this.#giveBack(id, message);
    }
    this.#options.onState(`ingest: ${message}`);
    const wait = this.#backoff * (0.5 + Math.random());
    this.#backoff = Math.min(this.#backoff * 2, BACKOFF_MS.longest);
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  #answered(response: PublishResponse): void {
    if (response.status !== BatchStatus.UNAVAILABLE) this.#answeredTime = performance.now();
    const id = formatId(response.batchId);
    const batch = this.#waiting.get(id);
    if (batch === undefined) return;
    if (response.status === BatchStatus.UNAVAILABLE) {
      batch.sent = false;
      if (batch.spooled) this.#giveBack(id, response.message);
      else setTimeout(() => this.#resend(id), RESEND_MS);
      return;
    }
    this.#forget(id);
    if (response.status === BatchStatus.STORED) {
      batch.ticket.settle({ stored: true });
    } else {
      const message = `${BatchRejectReason[response.reason]}: ${response.message}`;
      batch.ticket.settle({ stored: false, retry: false, message });
    }
    this.#send();
  }

  #resend(id: string): void {
    const batch = this.#waiting.get(id);
    if (batch === undefined || batch.sent) return;
    this.#unsent.live.add(id);
    this.#send();
  }

  #giveUpLate(): void {
    const now = performance.now();
    for (const [id, { deadline }] of this.#waiting) {
      if (deadline <= now) this.#giveBack(id, "ingest did not answer in time");
    }
  }
}
