import { formatId } from "../event/event-id.ts";
import { failpoint } from "../failpoint/failpoint.ts";
import { BatchRejectReason } from "../gen/footfall/ingest/v1/ingest_pb.js";
import { withRetry } from "../lifecycle/retry.ts";
import { type Pool, sqlState } from "../store/pool.ts";
import { movedThrough, type Position, readPosition, rewindPosition } from "../store/positions.ts";
import { isTemporary } from "../store/temporary.ts";
import { type Commit, commitBatches, FencedError } from "../store/write-batches.ts";
import type { NatsConnection } from "../stream/connect.ts";
import { PartitionFeed } from "../stream/partition-feed.ts";
import type { BatchPublisher } from "../stream/publisher.ts";
import { StreamChanged } from "../stream/stream-changed.ts";
import { checkStream, StreamChangedError } from "../stream/stream-check.ts";
import { eventsStream, StreamGoneError } from "../stream/streams.ts";
import type { Logger } from "../telemetry/logger.ts";
import { commitInTries } from "./bounded-tries.ts";
import { FeedStall } from "./feed-stall.ts";
import { Groups } from "./groups.ts";
import type { Lags } from "./lags.ts";
import type { AggregateMetrics, CAUSES } from "./metrics.ts";
import type { EndReason } from "./ownership/works.ts";
import { type ReadBatch, readBatch } from "./prepare.ts";
import { Preparer } from "./preparer.ts";
import type { StepContexts } from "./step-contexts.ts";
import { STEPS } from "./steps/process.ts";
import type { Step } from "./steps/step.ts";

export interface WorkerDeps {
  readonly pool: Pool;
  readonly nats: NatsConnection;
  readonly publisher: Pick<BatchPublisher, "reject">;
  readonly contexts: StepContexts;
  readonly metrics: AggregateMetrics;
  readonly lags: Lags;
  readonly log: Logger;
  readonly partitions: number;
  readonly commitMaxRows: number;
  readonly fetchMaxBytes: number;
  readonly heartbeatMs: number;
  /** How long a feed may deliver nothing although the stream has more, ms. */
  readonly feedStallMs: number;
  /** How long a stream may be another than what was committed of it before the position goes back, ms. */
  readonly streamChangedMs: number;
  /** How often a batch that fails is tried before it is dead-lettered. */
  readonly processTries: number;
  /** Default: STEPS. */
  readonly steps?: readonly Step[];
}

/** How a partition starts over. A feed that worked for a while was no failure to begin with. */
const START_OVER = { firstMs: 100, longestMs: 5_000, stableMs: 60_000 };

/**
 * Works one partition until the signal is aborted: reads the position, opens the feed behind it, and commits
 * batch after batch. Whatever fails (database, broker, another owner), it starts over from the position,
 * after a pause that grows; nothing is acked that is not committed.
 */
export async function aggregatePartition(
  partition: number,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<void> {
  const changed = new StreamChanged(partition, {
    ...deps,
    // Nothing is counted twice by that: the ledger knows the batches that come again.
    rewind: (range) => rewindPosition(deps.pool, partition, range),
    onRewind: () => deps.metrics.rewinds.inc({ partition }),
  });
  const work = async () => {
    try {
      await workFeed(partition, deps, { signal, changed });
    } catch (error) {
      const isLost = signal.reason === ("lost" satisfies EndReason);
      // A database that hangs takes the lease with it: that is a failure as well, not an end that was asked for.
      if (isLost || !signal.aborted) deps.metrics.failures.inc({ partition, cause: causeOf(error) });
      if (signal.aborted) return;
      deps.log.warn({ err: error, partition }, "partition starts over");
      await changed
        .failed(error)
        .catch((err: unknown) => deps.log.warn({ err, partition }, "position not moved back"));
      throw error;
    }
  };
  await withRetry(work, { ...START_OVER, signal }).catch(() => {});
}

/** What an operator should look at: the database, another owner, a stream that is gone or changed, something else. */
function causeOf(error: unknown): (typeof CAUSES)[number] {
  if (error instanceof FencedError) return "fenced";
  if (error instanceof StreamChangedError || error instanceof StreamGoneError) return "stream";
  return isTemporary(error) || sqlState(error) !== undefined ? "database" : "other";
}

/** After the last batch of a burst, data_through is moved this soon, ms. */
const FIRST_HEARTBEAT_MS = 50;

async function workFeed(
  partition: number,
  deps: WorkerDeps,
  { signal, changed }: { readonly signal: AbortSignal; readonly changed: StreamChanged },
): Promise<void> {
  let { seq: after, storedTime: afterTime } = await readPosition(deps.pool, partition);
  const options = { partition, after, afterTime, maxBytes: deps.fetchMaxBytes };
  const feed = await PartitionFeed.open(deps.nats, options);
  changed.opened();
  const preparer = preparerOf(deps);
  const groups = new Groups({
    feed,
    read: (message) => readBatch(message, partition, deps.partitions),
    prepareAhead: (batch) => preparer.ahead(batch),
    maxRows: deps.commitMaxRows,
  });
  const stall = new FeedStall(partition, deps.feedStallMs);
  try {
    let wait = FIRST_HEARTBEAT_MS;
    while (!signal.aborted) {
      const group = await groups.next(wait, signal);
      wait = group.length > 0 ? FIRST_HEARTBEAT_MS : deps.heartbeatMs;
      if (signal.aborted) return;
      if (group.length === 0) {
        const lastSeq = await heartbeat(partition, { seq: after, storedTime: afterTime }, deps);
        changed.seen(lastSeq);
        stall.heartbeat(lastSeq !== after);
        continue;
      }
      stall.delivered();
      const { seq, pending } = group.at(-1)!.message;
      changed.seen(seq + pending);
      groups.readAhead();
      after = await commitInTries(after, group, {
        tries: deps.processTries,
        commit: (position, batches) => commitGroup(partition, position, batches, { ...deps, preparer }),
        failed: (err, batch, tried) =>
          deps.log.warn(
            { err, partition, seq: batch?.message.seq, tried },
            "a commit failed by fault of a batch",
          ),
      });
      afterTime = group.at(-1)!.message.storedTime;
      failpoint("stream-ack.before");
      feed.ackThrough(after);
      failpoint("stream-ack.after");
    }
  } finally {
    await groups.stopAhead();
    await feed.close();
  }
}

function preparerOf({ contexts, metrics, steps = STEPS }: WorkerDeps): Preparer {
  const observe = (step: string, seconds: number) => metrics.steps.inc({ step }, seconds);
  return new Preparer({ contexts, steps, observe });
}

async function commitGroup(
  partition: number,
  after: number,
  batches: readonly ReadBatch[],
  deps: WorkerDeps & { readonly preparer: Preparer },
): Promise<number> {
  const { metrics } = deps;
  for (const batch of batches) if (batch.problem !== undefined) await deadLetter(partition, batch, deps);
  const last = batches.at(-1)!.message;
  const commit: Commit = {
    partition,
    after,
    through: last.seq,
    storedThrough: last.storedTime,
    batches: await deps.preparer.all(batches),
    gaps: findGaps(after, batches),
  };
  const done = metrics.commit.startTimer();
  const committed = await commitBatches(deps.pool, commit);
  done();
  metrics.rows.inc(committed.stored);
  metrics.duplicates.inc(committed.duplicates);
  metrics.deadLettered.inc(committed.deadLettered);
  metrics.erased.inc(committed.erased);
  metrics.repeatedBatches.inc(committed.repeatedBatches);
  for (const { problem } of batches) {
    if (problem !== undefined) metrics.deadLetters.inc({ reason: BatchRejectReason[problem.reason] });
  }
  deps.lags.committed(partition, { seq: last.seq, storedTime: last.storedTime });
  for (const [first, end] of commit.gaps) {
    metrics.gaps.inc({ partition }, end - first + 1);
    deps.log.error({ partition, first, last: end }, "sequences are missing in the stream");
  }
  return last.seq;
}

/**
 * Keeps a batch that cannot be processed, so that it does not block the ones behind it. It is safe before the
 * position moves past it.
 */
async function deadLetter(partition: number, batch: ReadBatch, deps: WorkerDeps): Promise<void> {
  const { message: stored, sealed, problem, stack } = batch;
  const reason = BatchRejectReason[problem!.reason];
  deps.log.error({ partition, seq: stored.seq, reason, problem: problem!.message }, "batch dead-lettered");
  await deps.publisher.reject(partition, reason, problem!.message, stored.bytes, {
    stream: eventsStream(partition),
    sequence: stored.seq,
    batchId: sealed && formatId(sealed.batchId),
    stack,
  });
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

/**
 * Without traffic: when the stream has nothing behind the position, all before this moment is committed.
 * @returns the stream's last sequence.
 */
async function heartbeat(partition: number, position: Position, deps: WorkerDeps): Promise<number> {
  const end = await checkStream(deps.nats, partition, position);
  if (end.lastSeq !== position.seq) return end.lastSeq;
  await movedThrough(deps.pool, partition, position.seq, end.time);
  return end.lastSeq;
}
