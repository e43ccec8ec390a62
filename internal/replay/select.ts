import type { DeadLetterMessage, DeadLetterStream } from "../stream/dead-letter-stream.ts";
import { type DeadLetterBatch, readDeadLetter } from "./dead-letter-batch.ts";

/** A range of sequences, both ends included. */
export type SeqRange = readonly [first: number, last: number];

/** Which refused batches are meant; what is undefined does not matter. */
export interface DeadLetterFilter {
  /** Names of BatchRejectReason. */
  readonly reasons?: ReadonlySet<string> | undefined;
  /** Batches with an event of this merchant. */
  readonly merchant?: number | undefined;
  /** Refused at this time or later, ms since 1970-01-01 UTC. */
  readonly from?: number | undefined;
  /** Refused before this time. */
  readonly to?: number | undefined;
  readonly partition?: number | undefined;
  /** Sequences in the stream of refused batches. */
  readonly seqs?: readonly SeqRange[] | undefined;
}

export interface SelectOptions {
  readonly filter: DeadLetterFilter;
  /** The installation's number of partitions. */
  readonly partitions: number;
  /** Ends the selection early. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The refused batches that a filter means, oldest first: those that are there at the start. What is refused
 * meanwhile, such as a batch that failed again, is not among them.
 */
export async function* selectDeadLetters(
  stream: DeadLetterStream,
  { filter, partitions, signal }: SelectOptions,
): AsyncGenerator<DeadLetterBatch> {
  const last = await stream.lastSeq();
  let from = 1;
  // Ascending, so that where two ranges overlap no batch comes twice.
  const ranges = (filter.seqs ?? [[1, last] as const]).toSorted(([a], [b]) => a - b);
  for (const [first, end] of ranges) {
    from = Math.max(from, first);
    while (from <= Math.min(end, last) && !signal?.aborted) {
      const message = await stream.next(from, filter.partition);
      if (message === undefined || message.seq > Math.min(end, last)) break;
      from = message.seq + 1;
      if (!matchesHeaders(message, filter)) continue;
      const batch = readDeadLetter(message, partitions);
      if (filter.merchant === undefined || batch.merchants.has(filter.merchant)) yield batch;
    }
  }
}

/** What can be told without opening the batch. */
function matchesHeaders(
  { reason, time }: DeadLetterMessage,
  { reasons, from, to }: DeadLetterFilter,
): boolean {
  if (reasons !== undefined && !reasons.has(reason)) return false;
  if (from !== undefined && time < from) return false;
  return to === undefined || time < to;
}
