import { formatId } from "../event/event-id.ts";
import { BatchRejectReason, BatchStatus, type PublishResponse } from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { OutgoingBatch } from "./batcher.ts";
import type { IngestClient } from "./ingest-client.ts";
import { type BatchStream, IngestStreams, type StreamsOptions } from "./ingest-streams.ts";

export interface LinkOptions extends StreamsOptions {
  /** How long a batch is tried before its events are given back for a retry, ms. */
  readonly deliverTimeoutMs: number;
  /** Told at each change between working and not. */
  readonly onState: (problem: string | undefined) => void;
}

interface Waiting extends OutgoingBatch {
  /** When to give up, by performance.now(). */
  readonly deadline: number;
  /** Someone else keeps it: when its stream breaks or ingest cannot take it, it is given back at once. */
  spooled: boolean;
  /** The stream that it was written to, and is not answered on. */
  sent: BatchStream | undefined;
}

/** Pause before a batch that JetStream could not take is sent again, ms. */
const RESEND_MS = 200;

/** Batches of the spool are written while a stream holds fewer than this: a live one never waits for many. */
const SPOOLED_AHEAD = 4;

/**
 * Sends batches to ingest. Those that are not answered when a stream breaks are sent again on another, with the same
 * id; one that is not stored before its deadline is given back.
 */
export class IngestLink {
  readonly #options: LinkOptions;
  readonly #streams: IngestStreams;
  readonly #waiting = new Map<string, Waiting>();
  /** Ids of waiting batches that no stream has room for yet, in the order in which they are sent. */
  readonly #unsent = { live: new Set<string>(), spooled: new Set<string>() };
  #answeredTime = 0;
  #closing = false;
  readonly #sweep: NodeJS.Timeout;

  constructor(client: IngestClient, options: LinkOptions) {
    this.#options = options;
    const events = {
      answered: (stream: BatchStream, response: PublishResponse) => this.#answered(stream, response),
      room: () => this.#send(),
      ended: (stream: BatchStream, message: string) => this.#ended(stream, message),
      state: options.onState,
    };
    this.#streams = new IngestStreams(client, events, options);
    this.#sweep = setInterval(() => this.#giveUpLate(), 250);
    this.#streams.start();
  }

  /** When ingest last stored or refused a batch, by performance.now(). */
  get answeredTime(): number {
    return this.#answeredTime;
  }

  /**
   * Sends a batch; its receipt is settled when ingest answered or the deadline passed. One that comes from the
   * spool lets live ones pass, and is given back when the stream breaks.
   */
  deliver(batch: OutgoingBatch, from: "live" | "spooled" = "live"): void {
    const spooled = from === "spooled";
    const deadline = spooled ? Number.POSITIVE_INFINITY : performance.now() + this.#options.deliverTimeoutMs;
    const id = formatId(batch.batchId);
    this.#waiting.set(id, { ...batch, deadline, spooled, sent: undefined });
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

  /** Waits for the open batches' answers, then ends the streams. What is in the spool is not waited for. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const [id, { spooled }] of this.#waiting) if (spooled) this.#giveBack(id, "the link closes");
    await Promise.all([...this.#waiting.values()].map(({ receipt }) => receipt.settled));
    clearInterval(this.#sweep);
    this.#streams.close();
  }

  /** Writes what the streams have room for: they would keep whatever they are given, also when a batch is given up. */
  #send(): void {
    for (const id of this.#unsent.live) {
      const stream = this.#streams.pick();
      if (stream === undefined) return;
      this.#write(stream, id);
    }
    for (const id of this.#unsent.spooled) {
      const stream = this.#streams.pickSteady(SPOOLED_AHEAD);
      if (stream === undefined) return;
      this.#write(stream, id, () => this.#send());
    }
  }

  #write(stream: BatchStream, id: string, written?: () => void): void {
    this.#unsent.live.delete(id);
    this.#unsent.spooled.delete(id);
    const batch = this.#waiting.get(id)!;
    batch.sent = stream;
    this.#streams.write(stream, batch.bytes, written);
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
    batch?.receipt.settle({ stored: false, retry: true, message });
  }

  /** Batches that others keep are given back when their stream breaks, and all of them when none stands. */
  #ended(stream: BatchStream, message: string): void {
    const stands = this.#streams.isUp;
    for (const [id, batch] of this.#waiting) {
      const wasSent = batch.sent === stream;
      if (wasSent) batch.sent = undefined;
      if (batch.spooled && (wasSent || !stands)) this.#giveBack(id, message);
      else if (wasSent) this.#unsent.live.add(id);
    }
    this.#send();
  }

  #answered(stream: BatchStream, response: PublishResponse): void {
    if (response.status !== BatchStatus.UNAVAILABLE) this.#answeredTime = performance.now();
    const id = formatId(response.batchId);
    const batch = this.#waiting.get(id);
    if (batch === undefined) return;
    if (response.status === BatchStatus.UNAVAILABLE) {
      if (batch.sent !== stream) return;
      batch.sent = undefined;
      if (batch.spooled) this.#giveBack(id, response.message);
      else setTimeout(() => this.#resend(id), RESEND_MS);
      return;
    }
    this.#forget(id);
    if (response.status === BatchStatus.STORED) {
      batch.receipt.settle({ stored: true });
    } else {
      const message = `${BatchRejectReason[response.reason]}: ${response.message}`;
      batch.receipt.settle({ stored: false, retry: false, message });
    }
    this.#send();
  }

  #resend(id: string): void {
    const batch = this.#waiting.get(id);
    if (batch === undefined || batch.sent !== undefined) return;
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
