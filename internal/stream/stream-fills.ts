import { jetstreamManager } from "@nats-io/jetstream";
import type { HealthState } from "../rpc/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import { gauge, type Registry } from "../telemetry/metrics.ts";
import type { NatsConnection } from "./connect.ts";
import { DEAD_LETTER_STREAM, eventsStream } from "./names.ts";
import type { BatchPublisher } from "./publisher.ts";
import { streamInfo } from "./streams.ts";

export interface FillOptions {
  readonly partitions: number;
  readonly registry: Registry;
  readonly health: Pick<HealthState, "setNote" | "setProblem">;
  readonly log: Pick<Logger, "warn" | "info">;
}

/** Share of max_bytes from which on a stream is told of as nearly full, and below which it no longer is. */
export const NEARLY_FULL = 0.8;
const ROOM_AGAIN = 0.75;

/** How often the streams are looked at, ms; and how long a refusal counts that no look explains. */
const LOOK_MS = 5_000;
const REFUSAL_MS = 30_000;
const TIMEOUT_MS = 5_000;

/** A batch that JetStream did not take. */
interface Refusal {
  readonly bytes: number;
  readonly time: number;
  readonly why: string;
}

/**
 * How full the streams are, and which of them refuse batches: an alarm before it is a refusal. A program is not ready
 * when most partitions' streams refuse; while others take theirs it is, and says which do not.
 */
export class StreamFills {
  readonly #options: FillOptions;
  readonly #gauges: { bytes: ReturnType<typeof gauge<"stream">>; fill: ReturnType<typeof gauge<"stream">> };
  readonly #refusals = new Map<number, Refusal>();
  readonly #nearlyFull = new Set<string>();
  /** Bytes that a partition's stream has room for, as of the last look. */
  readonly #room = new Map<number, number>();

  constructor(options: FillOptions) {
    const { registry, partitions } = options;
    const bytes = gauge(registry, "footfall_stream_bytes", "Bytes that a stream holds.", ["stream"]);
    const help =
      "Share of its max_bytes that a stream holds; 0 where it has no limit. At 1 it refuses batches.";
    const fill = gauge(registry, "footfall_stream_fill_ratio", help, ["stream"]);
    for (const stream of namesOf(partitions)) {
      bytes.set({ stream }, 0);
      fill.set({ stream }, 0);
    }
    this.#options = options;
    this.#gauges = { bytes, fill };
  }

  /** The same publisher, whose answers are noted. */
  noting(publisher: BatchPublisher): Pick<BatchPublisher, "publish" | "reject"> {
    return {
      publish: async (partition, messageId, bytes) => {
        try {
          const seq = await publisher.publish(partition, messageId, bytes);
          if (this.#refusals.delete(partition)) this.#tell();
          return seq;
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          this.#refusals.set(partition, { bytes: bytes.length, time: performance.now(), why });
          this.#tell();
          throw error;
        }
      },
      reject: (...args) => publisher.reject(...args),
    };
  }

  /** Looks at the streams now and every few seconds. @returns what ends that. */
  watch(nc: NatsConnection): () => void {
    let isLooking = false;
    const look = async () => {
      if (isLooking) return;
      isLooking = true;
      // Who is away is told of by the probes.
      await this.look(nc).catch(() => {});
      this.#tell();
      isLooking = false;
    };
    void look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }

  /** @throws when JetStream does not answer. */
  async look(nc: NatsConnection): Promise<void> {
    const jsm = await jetstreamManager(nc, { timeout: TIMEOUT_MS, checkAPI: false });
    for (const [partition, stream] of namesOf(this.#options.partitions).entries()) {
      const info = await streamInfo(jsm, stream);
      if (info === undefined) continue;
      const { bytes } = info.state;
      const limit = info.config.max_bytes;
      this.#room.set(partition, limit > 0 ? limit - bytes : Number.POSITIVE_INFINITY);
      this.#seen(stream, bytes, limit > 0 ? bytes / limit : 0);
    }
  }

  #seen(stream: string, bytes: number, fill: number): void {
    this.#gauges.bytes.set({ stream }, bytes);
    this.#gauges.fill.set({ stream }, fill);
    // The oldest refused batches make room by themselves.
    if (stream === DEAD_LETTER_STREAM) return;
    const { log } = this.#options;
    if (fill >= NEARLY_FULL && !this.#nearlyFull.has(stream)) {
      this.#nearlyFull.add(stream);
      log.warn(
        { stream, fill },
        "stream is nearly full: it will refuse batches, give it a larger max_bytes or a shorter max_age",
      );
    } else if (fill < ROOM_AGAIN && this.#nearlyFull.delete(stream))
      log.info({ stream, fill }, "stream has room again");
  }

  #tell(): void {
    const { health, partitions } = this.#options;
    for (const [partition, { bytes, time }] of this.#refusals) {
      const isFull = (this.#room.get(partition) ?? Number.POSITIVE_INFINITY) < bytes;
      if (!isFull && performance.now() - time > REFUSAL_MS) this.#refusals.delete(partition);
    }
    const refusing = [...this.#refusals.keys()].sort((a, b) => a - b);
    const [first] = this.#refusals.values();
    const text =
      first && `${refusing.length} of ${partitions} partitions' streams refuse batches: ${first.why}`;
    const isMost = refusing.length * 2 > partitions;
    health.setProblem("streams", isMost ? text : undefined);
    health.setNote("streams", isMost ? undefined : text);
    const full = [...this.#nearlyFull].map((stream) => `${stream} is nearly full`);
    health.setNote("fill", full.length > 0 ? full.join(", ") : undefined);
  }
}

/** The partitions' streams by number, and that of refused batches. */
function namesOf(partitions: number): string[] {
  return [
    ...Array.from({ length: partitions }, (_, partition) => eventsStream(partition)),
    DEAD_LETTER_STREAM,
  ];
}
