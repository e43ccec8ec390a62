import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import type { NatsConnection } from "./connect.ts";

/** The stream of refused batches, of all partitions. */
export const REJECTED_STREAM = "REJECTED";

/** The stream of a partition. Each has its own, so that its sequence numbers have no gaps. */
export const eventsStream = (partition: number): string => `EVENTS_${partition}`;

/** The subject of a partition's batches. */
export const eventsSubject = (partition: number): string => `events.${partition}`;

/** The subject of a partition's refused batches; "none" where the partition could not be read. */
export const rejectedSubject = (partition: number | undefined): string => `rejected.${partition ?? "none"}`;

export interface StreamLimits {
  readonly replicas: number;
  /** How long batches are kept for replays, ms. */
  readonly maxAgeMs: number;
  /**
   * Most bytes of one stream, 0 for no limit. A partition's stream that is full refuses new batches, it never
   * drops old ones; that of refused batches drops its oldest.
   */
  readonly maxBytes: number;
}

/** JetStream's own memory of message ids; only an optimisation, the ledger is what counts. */
const DUPLICATE_WINDOW_MS = 120_000;

/** Nanoseconds a millisecond, JetStream's unit of time. */
const NANOS = 1_000_000;

/** Creates the streams of all partitions and of refused batches, where they are missing. */
export async function ensureStreams(
  nc: NatsConnection,
  partitions: number,
  limits: StreamLimits,
): Promise<void> {
  const jsm = await jetstreamManager(nc, { timeout: 10_000 });
  for (let p = 0; p < partitions; p++) {
    await ensure(jsm, { name: eventsStream(p), subjects: [eventsSubject(p)], ...settings(limits) });
  }
  // The oldest refused batches make room for new ones: were they kept, senders would wait for ever.
  const rejected = { ...settings(limits), discard: DiscardPolicy.Old };
  await ensure(jsm, { name: REJECTED_STREAM, subjects: ["rejected.>"], ...rejected });
}

function settings(limits: StreamLimits) {
  return {
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    num_replicas: limits.replicas,
    max_age: limits.maxAgeMs * NANOS,
    max_bytes: limits.maxBytes || -1,
    duplicate_window: Math.min(DUPLICATE_WINDOW_MS, limits.maxAgeMs) * NANOS,
  };
}

async function ensure(
  jsm: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  const existing = await jsm.streams.info(config.name).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (existing === undefined) await jsm.streams.add(config);
}

/** Whether JetStream answered that a stream or consumer does not exist. */
export function isNotFound(error: unknown): boolean {
  const code = (error as { code?: number }).code;
  return code === 10_059 || code === 10_014 || code === 404;
}

/** Longest wait for an answer about a stream, ms. A request that was sent as the connection broke waits so long. */
const INFO_TIMEOUT_MS = 2_000;

/** The end of a partition's stream at a moment. */
export interface StreamEnd {
  /** 0 when nothing was ever published. */
  readonly lastSeq: number;
  /** Nothing behind lastSeq was stored before this time: ms since 1970-01-01 UTC, by the broker's clock. */
  readonly time: number;
}

/** @throws when JetStream does not answer within 2 s. */
export async function streamEnd(nc: NatsConnection, partition: number): Promise<StreamEnd> {
  const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: INFO_TIMEOUT_MS });
  const askedAt = Date.now();
  const { state, ts } = await jsm.streams.info(eventsStream(partition));
  // Brokers before 2.10 do not tell their time.
  return { lastSeq: state.last_seq, time: ts === undefined ? askedAt : Date.parse(ts) };
}
