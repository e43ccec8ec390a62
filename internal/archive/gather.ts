import type { PartitionFeed, StreamBatch } from "../stream/partition-feed.ts";
import type { HeldBytes } from "./held-bytes.ts";

/** Batches of one object, all stored on one UTC day. */
export interface Group {
  readonly batches: readonly StreamBatch[];
  /** The last sequence that it accounts for. */
  readonly through: number;
  /** Bytes of the batches, which `held` counts. */
  readonly bytes: number;
  /** The batch that belongs to the next group. */
  readonly next: StreamBatch | undefined;
}

export interface Gathering {
  /** What the last group left. */
  readonly carried: StreamBatch | undefined;
  /** Where the group must end, because an object up to there was about to be put. */
  readonly plannedThrough: number | undefined;
  /** A group closes at about this many bytes. */
  readonly objectMaxBytes: number;
  /** ... or when its first batch is this old and no more are there, ms. */
  readonly objectMaxAgeMs: number;
  readonly held: HeldBytes;
  readonly signal: AbortSignal;
  /** Told about the first batch. */
  readonly onFirst: (batch: StreamBatch) => void;
}

/** How long to wait for a further batch at most before looking at age and signal again, ms. */
const TURN_MS = 1_000;
/** A feed that gives nothing for so long has no more at hand, ms. */
const QUIET_MS = 200;

const DAY_MS = 86_400_000;

/** The UTC day of a time, as a number. */
const dayOf = ({ storedTime }: StreamBatch) => Math.floor(storedTime / DAY_MS);

/** Takes batches until there are enough for an object. @returns undefined when the signal was aborted first. */
export async function gather(
  feed: Pick<PartitionFeed, "next">,
  options: Gathering,
): Promise<Group | undefined> {
  const { plannedThrough, held, signal } = options;
  const batches: StreamBatch[] = [];
  let bytes = 0;
  let began = 0;
  let group: Group | undefined;
  let next = options.carried;
  try {
    while (group === undefined && !signal.aborted) {
      const due = batches.length > 0 && isDue(batches[0]!, began, options);
      next ??= await feed.next(waitFor(batches, due, options));
      if (isBoundary(batches, next, due, options)) {
        group = { batches, through: plannedThrough ?? batches.at(-1)!.seq, bytes, next };
      } else if (next !== undefined) {
        if (batches.length === 0) {
          began = performance.now();
          options.onFirst(next);
        }
        batches.push(next);
        bytes += next.bytes.length;
        held.add(next.bytes.length);
        if (isComplete(next, bytes, due, options))
          group = { batches, through: next.seq, bytes, next: undefined };
        next = undefined;
      }
    }
    return group;
  } finally {
    if (group === undefined) held.release(bytes);
  }
}

/** Whether the group ends before the next batch, or without one. */
function isBoundary(
  batches: readonly StreamBatch[],
  next: StreamBatch | undefined,
  due: boolean,
  { plannedThrough }: Gathering,
): boolean {
  if (plannedThrough !== undefined) return next !== undefined && next.seq > plannedThrough;
  if (batches.length === 0) return false;
  return next === undefined ? due : dayOf(next) !== dayOf(batches[0]!);
}

function isComplete(last: StreamBatch, bytes: number, due: boolean, options: Gathering): boolean {
  const { plannedThrough, objectMaxBytes, held } = options;
  if (plannedThrough !== undefined) return last.seq === plannedThrough;
  return bytes >= objectMaxBytes || held.isPressing(bytes) || (due && last.pending === 0);
}

/** By the broker's clock, so that a new start does not begin to count again; or by this one's, if they differ. */
function isDue(first: StreamBatch, began: number, { objectMaxAgeMs }: Gathering): boolean {
  return ageOf(first) >= objectMaxAgeMs || performance.now() - began >= objectMaxAgeMs;
}

const ageOf = ({ storedTime }: StreamBatch) => Date.now() - storedTime;

/** How long to wait for the next batch, ms. */
function waitFor(batches: readonly StreamBatch[], due: boolean, { objectMaxAgeMs }: Gathering): number {
  if (batches.length === 0) return TURN_MS;
  return due ? QUIET_MS : Math.min(TURN_MS, Math.max(10, objectMaxAgeMs / 4));
}
