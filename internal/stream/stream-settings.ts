import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { DEAD_LETTER_STREAM, eventsStream, eventsSubject } from "./names.ts";

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

interface LimitSettings {
  readonly replicas: number;
  readonly streamMaxAgeHours: number;
  readonly streamMaxBytes: number;
}

/** The limits that a program's settings name. */
export function streamLimits({ replicas, streamMaxAgeHours, streamMaxBytes }: LimitSettings): StreamLimits {
  return { replicas, maxAgeMs: streamMaxAgeHours * HOUR_MS, maxBytes: streamMaxBytes };
}

/** JetStream's own memory of message ids; only an optimisation, the ledger is what counts. */
const DUPLICATE_WINDOW_MS = 120_000;

/** Nanoseconds a millisecond, JetStream's unit of time. */
export const NANOS = 1_000_000;

/** What a stream is promised to be: every setting that decides what is kept, where, and for how long. */
export type PromisedStream = ReturnType<typeof promised>;

/** The streams of an installation as they must be: one a partition, and that of refused batches. */
export function promisedStreams(partitions: number, limits: StreamLimits): PromisedStream[] {
  const events = Array.from({ length: partitions }, (_, partition) =>
    promised(eventsStream(partition), eventsSubject(partition), limits, DiscardPolicy.New),
  );
  // The oldest refused batches make room for new ones: were they kept, senders would wait for ever.
  return [...events, promised(DEAD_LETTER_STREAM, "dead_letter.>", limits, DiscardPolicy.Old)];
}

function promised(name: string, subject: string, limits: StreamLimits, discard: DiscardPolicy) {
  return {
    name,
    subjects: [subject],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard,
    num_replicas: limits.replicas,
    max_age: limits.maxAgeMs * NANOS,
    max_bytes: limits.maxBytes || -1,
    // Any limit but bytes and age would drop messages, or refuse them, for a reason that nobody promised.
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_msg_size: -1,
    duplicate_window: Math.min(DUPLICATE_WINDOW_MS, limits.maxAgeMs) * NANOS,
    no_ack: false,
    sealed: false,
    // A redrive deletes from DEAD_LETTER; nothing of ours deletes or purges elsewhere.
    deny_delete: false,
    deny_purge: false,
    allow_rollup_hdrs: false,
  } satisfies Partial<StreamConfig>;
}

/** One setting of a stream that is not as promised. */
export interface SettingDifference {
  /** JetStream's name of it. */
  readonly setting: string;
  /** As a person reads it. */
  readonly is: string;
  readonly promised: string;
}

/** Settings that only say no more than they must: a stream may be stricter here than is promised. */
const MAY_BE_STRICTER = new Set(["deny_delete", "deny_purge"]);

/** Compares a stream's configuration with what was promised. */
export function findDifferences(is: Partial<StreamConfig>, promise: PromisedStream): SettingDifference[] {
  const found: SettingDifference[] = [];
  for (const [setting, value] of Object.entries(promise)) {
    if (promise.name !== DEAD_LETTER_STREAM && MAY_BE_STRICTER.has(setting)) continue;
    const own = show(setting, is[setting as keyof StreamConfig]);
    const expected = show(setting, value);
    if (own !== expected) found.push({ setting, is: own, promised: expected });
  }
  return found;
}

const HOUR_MS = 3_600_000;
const DURATIONS = new Set(["max_age", "duplicate_window"]);
const LIMITS = new Set(["max_age", "max_bytes", "max_msgs", "max_msgs_per_subject", "max_msg_size"]);

/** A setting's value as text: the same text for the same meaning, whatever form the server chose. */
function show(setting: string, value: unknown): string {
  // What a server does not know, or leaves out, is off.
  if (LIMITS.has(setting) && Number(value ?? 0) <= 0) return "no limit";
  if (value === undefined || value === false) return "off";
  if (value === true) return "on";
  if (DURATIONS.has(setting)) {
    const ms = Number(value) / NANOS;
    return ms >= HOUR_MS ? `${ms / HOUR_MS} h` : `${ms / 1_000} s`;
  }
  return Array.isArray(value) ? value.join(", ") : String(value);
}
