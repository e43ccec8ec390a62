import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "./connect.ts";
import { eventsStream, isNotFound, type StreamEnd, streamEnd } from "./streams.ts";

/** How far a stream was read. */
export interface ReadPosition {
  /** The last sequence that was read; 0 for none. */
  readonly seq: number;
  /** When JetStream stored what was there, ms since 1970-01-01 UTC; undefined where that is not known. */
  readonly storedTime: number | undefined;
}

/** A stream is not what was read any more: it ends before the position, or has another message there. */
export class StreamChangedError extends Error {
  override readonly name = "StreamChangedError";
  readonly position: number;
  /** Position before all that the stream has now. */
  readonly beginning: number;

  constructor(partition: number, position: number, { beginning, what }: { beginning: number; what: string }) {
    super(`the stream ${eventsStream(partition)} ${what}, but was read up to ${position}`);
    this.position = position;
    this.beginning = beginning;
  }
}

/** Clocks' times are cut to milliseconds in more than one way. */
const SAME_MS = 1;

/**
 * Checks that a partition's stream still is the one that was read up to a position: a broker that lost batches gives
 * their sequences to new ones, which a reader behind the position would pass over.
 * @returns the stream's end.
 * @throws StreamChangedError, StreamGoneError; when JetStream does not answer.
 */
export async function checkStream(
  nc: NatsConnection,
  partition: number,
  { seq, storedTime }: ReadPosition,
): Promise<StreamEnd> {
  const end = await streamEnd(nc, partition);
  const beginning = Math.max(0, end.firstSeq - 1);
  const changed = (what: string) => new StreamChangedError(partition, seq, { beginning, what });
  if (end.lastSeq < seq) throw changed(`ends at ${end.lastSeq}`);
  if (seq === 0 || storedTime === undefined) return end;
  const found = end.lastSeq === seq ? end.lastTime : await storedTimeOf(nc, partition, seq);
  // One that is deleted, by its age, tells nothing.
  if (found === undefined || Math.abs(found - storedTime) <= SAME_MS) return end;
  throw changed(`has another message there, of ${new Date(found).toISOString()}`);
}

/** When JetStream stored a sequence, ms since 1970-01-01 UTC; undefined where it is not there any more. */
export async function storedTimeOf(
  nc: NatsConnection,
  partition: number,
  seq: number,
): Promise<number | undefined> {
  const { streams } = await jetstreamManager(nc);
  try {
    return (await streams.getMessage(eventsStream(partition), { seq }))?.time.getTime();
  } catch (error) {
    if (isNotFound(error) || (error as { code?: number }).code === NO_MESSAGE) return undefined;
    throw error;
  }
}

/** JetStream's code for a sequence without a message. */
const NO_MESSAGE = 10_037;
