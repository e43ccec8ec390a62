import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import type { DeadLetterBatch } from "./dead-letter-batch.ts";

export interface Count {
  readonly batches: number;
  readonly events: number;
}

/** One refused batch in a list. Times are ISO 8601. */
export interface DeadLetterLine {
  readonly seq: number;
  readonly time: string;
  readonly partition: number | undefined;
  readonly reason: string;
  readonly message: string;
  readonly batchId: string | undefined;
  readonly events: number;
  /** Ascending. */
  readonly merchants: readonly number[];
  /** What the check says now: "ok", or its reason. Only a batch that is ok can be redriven. */
  readonly check: string;
}

export interface DeadLetterList {
  readonly total: Count;
  /** How much of it a redrive would take. */
  readonly redrivable: Count;
  readonly byReason: readonly (Count & { readonly reason: string })[];
  /** Events are the merchant's own. Batches that cannot be opened count for none. */
  readonly byMerchant: readonly (Count & { readonly merchantId: number })[];
  /** By the UTC hour in which they were refused. */
  readonly byHour: readonly (Count & { readonly hour: string })[];
  /** The newest ones, as many as were asked for. */
  readonly newest: readonly DeadLetterLine[];
}

const HOUR_MS = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();

/** Counts refused batches. @param limit most lines of single batches. */
export async function listDeadLetters(
  batches: AsyncIterable<DeadLetterBatch>,
  limit: number,
): Promise<DeadLetterList> {
  const all = new Tally<"all">();
  const redrivable = new Tally<"all">();
  const reasons = new Tally<string>();
  const merchants = new Tally<number>();
  const hours = new Tally<number>();
  let newest: DeadLetterLine[] = [];
  for await (const batch of batches) {
    const { message, events, problem } = batch;
    all.add("all", events);
    if (problem === undefined) redrivable.add("all", events);
    reasons.add(message.reason, events);
    hours.add(Math.floor(message.time / HOUR_MS), events);
    for (const [merchant, own] of batch.merchants) merchants.add(merchant, own);
    newest.push(lineOf(batch));
    if (newest.length >= 2 * limit + 1) newest = last(newest, limit);
  }
  return {
    total: all.of("all"),
    redrivable: redrivable.of("all"),
    byReason: reasons.sorted().map(([reason, count]) => ({ reason, ...count })),
    byMerchant: merchants.sorted().map(([merchantId, count]) => ({ merchantId, ...count })),
    byHour: hours.sorted().map(([hour, count]) => ({ hour: iso(hour * HOUR_MS), ...count })),
    newest: last(newest, limit).reverse(),
  };
}

const last = <T>(list: readonly T[], count: number): T[] => list.slice(Math.max(0, list.length - count));

function lineOf({ message, batchId, events, merchants, problem }: DeadLetterBatch): DeadLetterLine {
  const { seq, time, partition, reason, message: text } = message;
  return {
    seq,
    time: iso(time),
    partition,
    reason,
    message: text,
    batchId,
    events,
    merchants: [...merchants.keys()].sort((a, b) => a - b),
    check: problem === undefined ? "ok" : BatchRejectReason[problem.reason],
  };
}

class Tally<K extends string | number> {
  readonly #counts = new Map<K, { batches: number; events: number }>();

  add(key: K, events: number): void {
    const count = this.#counts.get(key) ?? { batches: 0, events: 0 };
    count.batches++;
    count.events += events;
    this.#counts.set(key, count);
  }

  of(key: K): Count {
    return this.#counts.get(key) ?? { batches: 0, events: 0 };
  }

  /** By key, ascending. */
  sorted(): [K, Count][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
