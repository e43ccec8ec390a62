import { type JetStreamManager, jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "./connect.ts";
import { DEAD_LETTER_STREAM } from "./names.ts";
import { CONSUMER } from "./partition-feed.ts";
import {
  findDifferences,
  NANOS,
  type PromisedStream,
  promisedStreams,
  type SettingDifference,
  type StreamLimits,
} from "./stream-settings.ts";
import { createStream, isNotFound, streamInfo } from "./streams.ts";

/** What an operator sees of a stream. Times are ISO 8601. */
export interface StreamOverview {
  readonly name: string;
  /** Undefined when the stream does not exist. */
  readonly state: StreamState | undefined;
  /** Settings that are not as promised. */
  readonly differences: readonly SettingDifference[];
  /** What was done about that: `created`, `updated`, or why not. */
  readonly applied?: string;
}

export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTime: string;
  readonly lastTime: string;
  /** Batches that the aggregator has not committed yet; undefined where none has ever worked. */
  readonly lag: number | undefined;
  /** Server that leads it, in a cluster. */
  readonly leader: string | undefined;
  /** Replicas beside the leader that have all of it. */
  readonly currentReplicas: number;
  /** Share of max_bytes that it holds, 0 to 1; undefined where it has no limit. */
  readonly fill: number | undefined;
  /** At the rate since the first message, hours until max_bytes is reached; undefined where that is never. */
  readonly fullAfterHours: number | undefined;
}

export interface OverviewOptions {
  readonly partitions: number;
  readonly limits: StreamLimits;
  /** Creates what is missing and changes what differs. */
  readonly apply: boolean;
}

/** All streams of an installation: what they hold, and how they differ from what is promised. */
export async function overviewStreams(
  nc: NatsConnection,
  { partitions, limits, apply }: OverviewOptions,
): Promise<StreamOverview[]> {
  const jsm = await jetstreamManager(nc, { timeout: 10_000 });
  const streams: StreamOverview[] = [];
  for (const promise of promisedStreams(partitions, limits)) {
    const info = await streamInfo(jsm, promise.name);
    const state = info && (await stateOf(jsm, info));
    const differences = info === undefined ? [] : findDifferences(info.config, promise);
    const seen = { name: promise.name, state, differences };
    streams.push(apply ? { ...seen, applied: await applyPromise(jsm, promise, seen) } : seen);
  }
  return streams;
}

async function stateOf(jsm: JetStreamManager, info: StreamInfo): Promise<StreamState> {
  const { state, cluster, config } = info;
  return {
    messages: state.messages,
    bytes: state.bytes,
    firstSeq: state.first_seq,
    lastSeq: state.last_seq,
    firstTime: time(state.first_ts),
    lastTime: time(state.last_ts),
    lag: await lagOf(jsm, config.name),
    leader: cluster?.leader || undefined,
    currentReplicas: (cluster?.replicas ?? []).filter(({ current, offline }) => current && !offline).length,
    fill: config.max_bytes > 0 ? Math.round((state.bytes / config.max_bytes) * 1_000) / 1_000 : undefined,
    fullAfterHours: fullAfterHours(info),
  };
}

/** Times of an empty stream are the year 1. */
const time = (text: string) => (text.startsWith("0001-") ? "" : new Date(text).toISOString());

async function lagOf(jsm: JetStreamManager, stream: string): Promise<number | undefined> {
  if (stream === DEAD_LETTER_STREAM) return undefined;
  try {
    const { num_pending, num_ack_pending } = await jsm.consumers.info(stream, CONSUMER);
    return num_pending + num_ack_pending;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const HOUR_MS = 3_600_000;

/** Undefined as well for a stream younger than an hour, whose rate says little. */
function fullAfterHours({ state, config }: StreamInfo): number | undefined {
  const spanMs = Date.parse(state.last_ts) - Date.parse(state.first_ts);
  if (config.max_bytes <= 0 || state.bytes === 0 || spanMs < HOUR_MS) return undefined;
  const hours = (config.max_bytes / state.bytes) * (spanMs / HOUR_MS);
  const keptHours = config.max_age / NANOS / HOUR_MS;
  return config.max_age > 0 && hours >= keptHours ? undefined : Math.round(hours * 10) / 10;
}

/** @returns what was done, or why it was not. */
async function applyPromise(
  jsm: JetStreamManager,
  promise: PromisedStream,
  { state, differences }: Omit<StreamOverview, "applied">,
): Promise<string> {
  if (state === undefined) {
    await createStream(jsm, promise);
    return "created";
  }
  if (differences.length === 0) return "as promised";
  // A lower limit takes effect at once, and takes batches with it that no aggregator has seen.
  const shrinks = differences.some(({ setting }) => setting === "max_age" || setting === "max_bytes");
  if (shrinks && promise.name !== DEAD_LETTER_STREAM && (state.lag ?? state.messages) > 0) {
    return "not changed: max_age or max_bytes differs while batches wait for the aggregator, which the change might drop; let it catch up and try again";
  }
  try {
    const { name, ...settings } = promise;
    await jsm.streams.update(name, settings);
    return "updated";
  } catch (error) {
    return `not changed: ${error instanceof Error ? error.message : error}`;
  }
}
