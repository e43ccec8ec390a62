import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "../stream/connect.ts";
import { ARCHIVER, PartitionFeed, type StreamBatch } from "../stream/partition-feed.ts";
import { type ArchiveDeps, archiveGroup } from "./archive-group.ts";
import { type Gathering, gather } from "./gather.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { type Owned, ownPartition } from "./ownership.ts";

export interface WorkerDeps extends ArchiveDeps {
  readonly nats: NatsConnection;
  readonly held: HeldBytes;
  /** Unique to the process. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly objectMaxBytes: number;
  readonly objectMaxAgeMs: number;
  readonly fetchMaxBytes: number;
}

/** First and longest pause before a partition starts over, ms. */
const BACKOFF_MS = { first: 100, longest: 5_000 };

/**
 * Archives one partition until the signal is aborted: takes it, reads the position, opens the feed behind it,
 * and brings group after group into the archive. Whatever fails, it starts over from the position after a pause
 * that grows; nothing is acked that is not committed. While another process has the partition, it waits.
 */
export async function workPartition(partition: number, deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  let wait = BACKOFF_MS.first;
  while (!signal.aborted) {
    const started = Date.now();
    let pause = deps.leaseMs / 3;
    try {
      const ownership = await ownPartition(deps.pool, { ...deps, partition }, signal);
      await ownership?.use((owned) => workOwned(partition, owned, deps));
    } catch (error) {
      if (signal.aborted) return;
      deps.metrics.failures.inc({ partition });
      deps.log.warn({ err: error, partition }, "partition starts over");
      // A feed that worked for a while was no failure to begin with.
      wait = Date.now() - started > 60_000 ? BACKOFF_MS.first : Math.min(wait * 2, BACKOFF_MS.longest);
      pause = wait;
    }
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}

async function workOwned(partition: number, { position, signal }: Owned, deps: WorkerDeps): Promise<void> {
  let { seq: after, plannedThrough } = position;
  const options = { partition, after, maxBytes: deps.fetchMaxBytes, durable: ARCHIVER };
  const feed = await PartitionFeed.open(deps.nats, options);
  const onFirst = ({ storedTime }: StreamBatch) => deps.metrics.lag.waitsSince(partition, storedTime);
  let carried: StreamBatch | undefined;
  try {
    for (;;) {
      const gathering: Gathering = { ...deps, carried, plannedThrough, signal, onFirst };
      const group = await gather(feed, gathering);
      if (group === undefined) return;
      try {
        after = await archiveGroup(partition, after, group, deps, signal);
      } finally {
        deps.held.release(group.bytes);
      }
      feed.ackThrough(after);
      plannedThrough = undefined;
      carried = group.next;
      if (carried === undefined) deps.metrics.lag.nothingWaits(partition);
    }
  } finally {
    await feed.close();
  }
}
