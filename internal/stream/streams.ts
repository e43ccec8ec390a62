import { type JetStreamManager, jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import { ConfigError } from "../config/config-error.ts";
import type { NatsConnection } from "./connect.ts";
import { eventsStream } from "./names.ts";
import {
  findDifferences,
  type PromisedStream,
  promisedStreams,
  type StreamLimits,
} from "./stream-settings.ts";

export { DEAD_LETTER_STREAM, deadLetterSubject, eventsStream, eventsSubject } from "./names.ts";
export type { StreamLimits } from "./stream-settings.ts";

/**
 * Creates the streams of all partitions and of refused batches, where they are missing.
 * @returns the names of those that were.
 * @throws ConfigError when one exists with other settings than promised: which stream, which setting, what it
 * is and should be. Nothing is changed then, as a change may drop batches: `admin streams apply` does it.
 */
export async function ensureStreams(
  nc: NatsConnection,
  partitions: number,
  limits: StreamLimits,
): Promise<string[]> {
  const jsm = await jetstreamManager(nc, { timeout: 10_000 });
  const created: string[] = [];
  /** The streams that have a difference, by its text: those of many partitions mostly differ alike. */
  const differing = new Map<string, string[]>();
  for (const promise of promisedStreams(partitions, limits)) {
    const info = await streamInfo(jsm, promise.name);
    if (info === undefined) {
      await createStream(jsm, promise);
      created.push(promise.name);
    }
    for (const one of info === undefined ? [] : findDifferences(info.config, promise)) {
      const text = `${one.setting} is ${one.is}, promised ${one.promised}`;
      differing.set(text, [...(differing.get(text) ?? []), promise.name]);
    }
  }
  if (differing.size > 0) throw new ConfigError(refusal(differing));
  return created;
}

/** Most streams that are named for one difference. */
const MOST_NAMES = 4;

function refusal(differing: ReadonlyMap<string, readonly string[]>): string {
  const lines = [...differing].map(([text, streams]) => {
    const more = streams.length - MOST_NAMES;
    const names = streams.slice(0, MOST_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "");
    return `${names}: ${text}`;
  });
  return [
    "the streams' settings are not what was promised:",
    ...lines,
    "Mend it with `admin streams apply`, which changes the streams, or promise what they are by FOOTFALL_STREAM_REPLICAS, FOOTFALL_STREAM_MAX_AGE_HOURS and FOOTFALL_STREAM_MAX_BYTES.",
  ].join("\n");
}

/** A stream's configuration and state; undefined when it does not exist. */
export async function streamInfo(jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  return jsm.streams.info(name).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
}

/** @throws with the promise in the message: JetStream's own names neither the stream nor its settings. */
export async function createStream(jsm: JetStreamManager, promise: PromisedStream): Promise<void> {
  try {
    await jsm.streams.add(promise);
  } catch (error) {
    const { name, num_replicas, max_bytes } = promise;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${name}: JetStream did not create it with num_replicas ${num_replicas} and max_bytes ${max_bytes}: ${reason}`,
      { cause: error },
    );
  }
}

/** Whether JetStream answered that a stream or consumer does not exist. */
export function isNotFound(error: unknown): boolean {
  const code = (error as { code?: number }).code;
  return code === 10_059 || code === 10_014 || code === 404;
}

/** A partition's stream does not exist: somebody deleted it, or its broker lost it. */
export class StreamGoneError extends Error {
  override readonly name = "StreamGoneError";
  readonly stream: string;

  constructor(stream: string) {
    super(
      `the stream ${stream} does not exist: what it held and was not committed is lost. Ingest makes it anew when it notices; \`admin streams apply\` does so at once.`,
    );
    this.stream = stream;
  }
}

/** Longest wait for an answer about a stream, ms. A request that was sent as the connection broke waits so long. */
const INFO_TIMEOUT_MS = 2_000;

/** The end of a partition's stream at a moment. */
export interface StreamEnd {
  /** The first sequence that is there; lastSeq + 1 when none is. */
  readonly firstSeq: number;
  /** When it was stored, ms since 1970-01-01 UTC. */
  readonly firstTime: number;
  /** 0 when nothing was ever published. */
  readonly lastSeq: number;
  /** When the message of lastSeq was stored, ms since 1970-01-01 UTC. */
  readonly lastTime: number;
  /** Nothing behind lastSeq was stored before this time: ms since 1970-01-01 UTC, by the broker's clock. */
  readonly time: number;
}

/** @throws StreamGoneError; when JetStream does not answer within 2 s. */
export async function streamEnd(nc: NatsConnection, partition: number): Promise<StreamEnd> {
  const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: INFO_TIMEOUT_MS });
  const askedAt = Date.now();
  const info = await streamInfo(jsm, eventsStream(partition));
  if (info === undefined) throw new StreamGoneError(eventsStream(partition));
  const { state, ts } = info;
  // Brokers before 2.10 do not tell their time.
  return {
    firstSeq: state.first_seq,
    firstTime: Date.parse(state.first_ts),
    lastSeq: state.last_seq,
    lastTime: Date.parse(state.last_ts),
    time: ts === undefined ? askedAt : Date.parse(ts),
  };
}
