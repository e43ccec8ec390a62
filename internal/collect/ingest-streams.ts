import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { PublishResponse } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { withRetry } from "../lifecycle/retry.ts";
import type { IngestClient } from "./ingest-client.ts";

export type BatchStream = ClientDuplexStream<Uint8Array, PublishResponse>;

export interface StreamsOptions {
  /**
   * How many are open at a time: calls of a channel go to its servers in turn. Default 2: four cost a busy collector and
   * ingest half as much CPU again.
   */
  readonly streams?: number;
  /** How long each is used before another takes its place, ms. Default 30,000. */
  readonly streamMaxAgeMs?: number;
}

export interface StreamEvents {
  answered(stream: BatchStream, response: PublishResponse): void;
  /** A batch may be written that had no room before. */
  room(): void;
  /** It ended with all that was written to it and is not answered. */
  ended(stream: BatchStream, message: string): void;
  /** Told at each change: why no stream stands, or undefined. */
  state(problem: string | undefined): void;
}

interface Use {
  /** Ingest has said that it takes batches. */
  up: boolean;
  unanswered: number;
  /** Streams are numbered as they are opened. */
  readonly number: number;
  /** Resolves when it retires, rejects when it ended before. */
  readonly life: PromiseWithResolvers<void>;
}

/** How a stream that ended is made again. */
const AGAIN = { firstMs: 25, longestMs: 2_000, stableMs: 1_000 };

/**
 * The streams over which batches go to ingest. Several, so that all instances get some; each is replaced after a
 * while, so that one that was away, or is new, gets some too. Nothing is sent twice for that: the new one stands
 * before the old one is half-closed, and ingest answers all that came on it.
 */
export class IngestStreams {
  readonly #client: IngestClient;
  readonly #events: StreamEvents;
  readonly #count: number;
  /** Those that take batches; the one that was written to last comes last. */
  readonly #open = new Map<BatchStream, Use>();
  readonly #retiring = new Map<BatchStream, Use>();
  readonly #closing = new AbortController();
  readonly #rotation: NodeJS.Timeout;
  #steady: BatchStream | undefined;
  #opened = 0;
  /** What was told last; null: nothing yet. */
  #problem: string | undefined | null = null;

  constructor(client: IngestClient, events: StreamEvents, options: StreamsOptions = {}) {
    const { streams = 2, streamMaxAgeMs = 30_000 } = options;
    this.#client = client;
    this.#events = events;
    this.#count = streams;
    this.#rotation = setInterval(() => this.#rotate(), streamMaxAgeMs / streams);
  }

  start(): void {
    while (this.#open.size < this.#count) this.#keep(this.#count);
  }

  /** Whether any stands. */
  get isUp(): boolean {
    return [...this.#open.values()].some(({ up }) => up);
  }

  /** The stream with the fewest unanswered batches, those that were not written to for longer first. */
  pick(): BatchStream | undefined {
    const isUp = this.isUp;
    let best: BatchStream | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [stream, { up, unanswered }] of this.#open) {
      if (up !== isUp || stream.writableNeedDrain || unanswered >= fewest) continue;
      best = stream;
      fewest = unanswered;
    }
    return best;
  }

  /**
   * The same stream for as long as it is open, and another only when it has ended, so that what is sent arrives in
   * that order.
   * @param ahead most batches that may wait in it.
   */
  pickSteady(ahead: number): BatchStream | undefined {
    if (this.#steady !== undefined && this.#retiring.has(this.#steady)) return undefined;
    if (this.#steady === undefined || !this.#open.has(this.#steady)) this.#steady = this.pick();
    const hasRoom = this.#steady !== undefined && this.#steady.writableLength < ahead;
    return hasRoom ? this.#steady : undefined;
  }

  write(stream: BatchStream, bytes: Uint8Array, written?: () => void): void {
    const use = this.#open.get(stream)!;
    use.unanswered++;
    this.#open.delete(stream);
    this.#open.set(stream, use);
    stream.write(bytes, written);
  }

  close(): void {
    this.#closing.abort();
    clearInterval(this.#rotation);
    for (const stream of this.#open.keys()) stream.end();
  }

  /** Opens a stream where fewer than `most` are open, and when it ends another where one is missing then. */
  #keep(most: number): void {
    let limit = most;
    const live = () => {
      const hasAll = this.#open.size >= limit;
      limit = this.#count;
      return hasAll ? undefined : this.#add();
    };
    withRetry(live, { ...AGAIN, signal: this.#closing.signal }).catch(() => {});
  }

  /** @returns the life of a new stream. */
  #add(): Promise<void> {
    const stream = this.#client.publish();
    const life = Promise.withResolvers<void>();
    this.#open.set(stream, { up: false, unanswered: 0, number: this.#opened++, life });
    stream.on("data", (response: PublishResponse) => {
      const use = this.#open.get(stream) ?? this.#retiring.get(stream);
      if (use !== undefined) use.unanswered--;
      this.#events.answered(stream, response);
    });
    stream.on("error", (error) => this.#ended(stream, error.message));
    stream.on("end", () => this.#ended(stream, "ingest ended the stream"));
    stream.on("metadata", () => this.#stands(stream));
    stream.on("drain", () => this.#events.room());
    this.#events.room();
    return life.promise;
  }

  #stands(stream: BatchStream): void {
    const use = this.#open.get(stream);
    if (use === undefined || this.#closing.signal.aborted) return;
    use.up = true;
    if (this.#open.size > this.#count) this.#retire(stream);
    this.#tell(undefined);
    this.#events.room();
  }

  /** Half-closes the oldest, for one that stands now. */
  #retire(successor: BatchStream): void {
    const others = [...this.#open].filter(([stream, { up }]) => up && stream !== successor);
    const [oldest] = others.sort(([, one], [, other]) => one.number - other.number);
    if (oldest === undefined) return;
    this.#open.delete(oldest[0]);
    this.#retiring.set(...oldest);
    oldest[0].end();
    oldest[1].life.resolve();
  }

  #rotate(): void {
    const isWhole = this.#open.size === this.#count && [...this.#open.values()].every(({ up }) => up);
    if (isWhole) this.#keep(this.#count + 1);
  }

  #ended(stream: BatchStream, message: string): void {
    const use = this.#open.get(stream);
    this.#open.delete(stream);
    const wasRetiring = this.#retiring.delete(stream);
    if (this.#closing.signal.aborted || (use === undefined && !wasRetiring)) return;
    this.#events.ended(stream, message);
    if (!this.isUp) this.#tell(`ingest: ${message}`);
    use?.life.reject(new Error(message));
  }

  #tell(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#events.state(problem);
  }
}
