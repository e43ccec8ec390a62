import { jetstreamManager } from "@nats-io/jetstream";
import type { Logger } from "../telemetry/logger.ts";
import type { NatsConnection } from "./connect.ts";
import { type PromisedStream, promisedStreams, type StreamLimits } from "./stream-settings.ts";
import { createStream, streamInfo } from "./streams.ts";

export interface KeeperOptions {
  readonly partitions: number;
  readonly limits: StreamLimits;
  readonly log: Logger;
  /** Told of a stream that was made anew. */
  readonly onMade: (stream: string) => void;
}

/** Longest wait for one of JetStream's answers, ms. */
const TIMEOUT_MS = 5_000;
/** Pause after a question that JetStream did not answer, ms: every batch that fails would ask. */
const QUIET_MS = 1_000;

/**
 * Makes streams anew that are gone while the program runs: deleted by somebody, or lost by a broker. Without them
 * their partitions would stand still for ever, for what was in them is lost in any case. Several processes may do it
 * side by side: JetStream takes the same stream twice.
 */
export class StreamKeeper {
  readonly #nc: NatsConnection;
  readonly #options: KeeperOptions;
  readonly #promises: ReadonlyMap<string, PromisedStream>;
  /** Streams that are being looked at. */
  readonly #asked = new Map<string, Promise<void>>();
  /** JetStream did not answer: it is not asked again before. */
  #quietUntil = 0;

  constructor(nc: NatsConnection, options: KeeperOptions) {
    this.#nc = nc;
    this.#options = options;
    const promises = promisedStreams(options.partitions, options.limits);
    this.#promises = new Map(promises.map((promise) => [promise.name, promise]));
  }

  /** Makes a stream if JetStream says that it does not exist; resolves when that is done, or cannot be done now. */
  keep(stream: string): Promise<void> {
    return this.#keepEach([stream]);
  }

  /** Looks at all streams, one after another: those of partitions without traffic, too. */
  keepAll(): Promise<void> {
    return this.#keepEach(this.#promises.keys());
  }

  /** Looks at all streams every so often. @returns what ends that. */
  watch(intervalMs: number): () => void {
    const timer = setInterval(() => void this.keepAll(), intervalMs);
    return () => clearInterval(timer);
  }

  async #keepEach(streams: Iterable<string>): Promise<void> {
    for (const stream of streams) {
      if (performance.now() < this.#quietUntil) return;
      await this.#once(stream);
    }
  }

  /** One question at a time about each stream. */
  #once(stream: string): Promise<void> {
    const asked = this.#asked.get(stream);
    if (asked !== undefined) return asked;
    const asking = this.#keep(this.#promises.get(stream)!)
      .catch((err: unknown) => {
        this.#quietUntil = performance.now() + QUIET_MS;
        this.#options.log.warn({ err, stream }, `not known whether the stream ${stream} is there`);
      })
      .finally(() => this.#asked.delete(stream));
    this.#asked.set(stream, asking);
    return asking;
  }

  async #keep(promise: PromisedStream): Promise<void> {
    const { log, onMade } = this.#options;
    const stream = promise.name;
    const jsm = await jetstreamManager(this.#nc, { checkAPI: false, timeout: TIMEOUT_MS });
    if ((await streamInfo(jsm, stream)) !== undefined) return;
    await createStream(jsm, promise);
    onMade(stream);
    log.error(
      { stream },
      `the stream ${stream} was gone and was made anew, empty: batches that it held and that were not committed are lost`,
    );
  }
}
