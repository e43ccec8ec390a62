import { setTimeout as sleep } from "node:timers/promises";
import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { Backoff } from "../lifecycle/backoff.ts";
import { type Pool, sqlState } from "../store/pool.ts";
import { movedThrough, readPosition } from "../store/positions.ts";
import { isTemporary } from "../store/temporary.ts";
import { type Commit, commitBatches, FencedError } from "../store/write-batches.ts";
import type { NatsConnection } from "../stream/connect.ts";
import { PartitionFeed, type StreamBatch } from "../stream/partition-feed.ts";
import type { BatchPublisher } from "../stream/publisher.ts";
import { streamEnd } from "../stream/streams.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Currencies } from "./currencies.ts";
import type { AggregateMetrics } from "./metrics.ts";
import { merchantsWithOrders, prepare, type ReadBatch, readBatch } from "./prepare.ts";

export interface WorkerDeps {
  readonly pool: Pool;
  readonly nats: NatsConnection;
  readonly publisher: Pick<BatchPublisher, "reject">;
  readonly currencies: Currencies;
  readonly metrics: AggregateMetrics;
  readonly log: Logger;
  readonly partitions: number;
  readonly commitMaxRows: number;
  readonly fetchMaxBytes: number;
  readonly heartbeatMs: number;
}

/** First and longest pause before a partition starts over, ms. */
const BACKOFF = { firstMs: 200, longestMs: 5_000 };

/**
 * Works one partition until the signal is aborted: reads the position, opens the feed behind it, and commits
 * batch after batch. Whatever fails (database, broker, another owner), it starts over from the position,
 * after a pause that grows; nothing is acked that is not committed.
 */
export async function workPartition(partition: number, deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff(BACKOFF);
  while (!signal.aborted) {
    const started = performance.now();
    try {
      await workFeed(partition, deps, signal);
    } catch (error) {
      if (signal.aborted) return;
      deps.metrics.failures.inc({ partition, cause: causeOf(error) });
      deps.log.warn({ err: error, partition }, "partition starts over");
    }
    // A feed that worked for a while was no failure to begin with.
    if (performance.now() - started > 60_000) backoff.reset();
    await sleep(backoff.next(), undefined, { signal }).catch(() => {});
  }
}

/** What an operator should look at: the database, another owner of the partition, or something else. */
function causeOf(error: unknown): "database" | "fenced" | "other" {
  if (error instanceof FencedError) return "fenced";
  return isTemporary(error) || sqlState(error) !== undefined ? "database" : "other";
}

/** After the last batch of a burst, data_through is moved this soon, ms. */
const FIRST_HEARTBEAT_MS = 50;

async function workFeed(partition: number, deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  let after = await readPosition(deps.pool, partition);
  const feed = await PartitionFeed.open(deps.nats, { partition, after, maxBytes: deps.fetchMaxBytes });
  const read = (message: StreamBatch) => readBatch(message, partition, deps.partitions);
  try {
    let carried: ReadBatch | undefined;
    let wait = FIRST_HEARTBEAT_MS;
    while (!signal.aborted) {
      const group = await gather(feed, { read, maxRows: deps.commitMaxRows, carried, waitMs: wait, signal });
      carried = group.next;
      wait = group.batches.length > 0 ? FIRST_HEARTBEAT_MS : deps.heartbeatMs;
      if (signal.aborted) return;
      if (group.batches.length === 0) {
        await heartbeat(partition, after, deps);
        continue;
      }
      after = await commitGroup(partition, after, group.batches, deps);
      feed.ackThrough(after);
    }
  } finally {
    await feed.close();
  }
}

interface Group {
  readonly batches: readonly ReadBatch[];
  /** The batch that did not fit any more. */
  readonly next: ReadBatch | undefined;
}

interface Gathering {
  readonly read: (message: StreamBatch) => ReadBatch;
  readonly maxRows: number;
  /** What the last group had no room for. */
  readonly carried: ReadBatch | undefined;
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** The batches that are there, up to the most rows of a commit; empty when none came within `waitMs`. */
async function gather(
  feed: PartitionFeed,
  { read, maxRows, carried, waitMs, signal }: Gathering,
): Promise<Group> {
  const batches: ReadBatch[] = [];
  let rows = 0;
  let next = carried;
  for (;;) {
    if (next === undefined) {
      const message = await feed.next(batches.length === 0 ? waitMs : 0, signal);
      if (message === undefined) return { batches, next: undefined };
      next = read(message);
    }
    rows += next.sealed?.rows ?? 0;
    if (batches.length > 0 && rows > maxRows) return { batches, next };
    batches.push(next);
    next = undefined;
  }
}

async function commitGroup(
  partition: number,
  after: number,
  batches: readonly ReadBatch[],
  deps: WorkerDeps,
): Promise<number> {
  const { metrics } = deps;
  for (const batch of batches) if (batch.problem !== undefined) await setAside(partition, batch, deps);
  const currencies = await deps.currencies.of(merchantsWithOrders(batches));
  const observe = (step: string, seconds: number) => metrics.steps.inc({ step }, seconds);
  const last = batches.at(-1)!.message;
  const commit: Commit = {
    partition,
    after,
    through: last.seq,
    storedThrough: last.storedTime,
    batches: batches.flatMap((batch) => prepare(batch, { currencies }, observe) ?? []),
    gaps: findGaps(after, batches),
  };
  const done = metrics.commit.startTimer();
  const committed = await commitBatches(deps.pool, commit);
  done();
  metrics.rows.inc(committed.stored);
  metrics.duplicates.inc(committed.duplicates);
  metrics.rejected.inc(committed.rejected);
  metrics.repeatedBatches.inc(committed.repeatedBatches);
  metrics.lag.set({ partition }, (Date.now() - last.storedTime) / 1_000);
  for (const [first, end] of commit.gaps) {
    metrics.gaps.inc({ partition }, end - first + 1);
    deps.log.error({ partition, first, last: end }, "sequences are missing in the stream");
  }
  return last.seq;
}

/** Keeps a batch that cannot be processed, so that it does not block the ones behind it. */
async function setAside(partition: number, { message, problem }: ReadBatch, deps: WorkerDeps): Promise<void> {
  const reason = BatchRejectReason[problem!.reason];
  deps.log.error({ partition, seq: message.seq, reason, problem: problem!.message }, "batch set aside");
  await deps.publisher.reject(partition, reason, `seq ${message.seq}: ${problem!.message}`, message.bytes);
}

/** Ranges of sequences between the position and the batches that did not come. */
function findGaps(after: number, batches: readonly ReadBatch[]): [number, number][] {
  const gaps: [number, number][] = [];
  let expected = after + 1;
  for (const { message } of batches) {
    if (message.seq > expected) gaps.push([expected, message.seq - 1]);
    expected = message.seq + 1;
  }
  return gaps;
}

/** Without traffic: when the stream has nothing behind the position, all before this moment is committed. */
async function heartbeat(partition: number, after: number, deps: WorkerDeps): Promise<void> {
  const end = await streamEnd(deps.nats, partition);
  if (end.lastSeq !== after) return;
  await movedThrough(deps.pool, partition, after, end.time);
}
