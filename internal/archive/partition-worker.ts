import { setTimeout as sleep } from "node:timers/promises";
import { withRetry } from "../lifecycle/retry.ts";
import { rewindArchive } from "../store/archive-positions.ts";
import type { NatsConnection } from "../stream/connect.ts";
import { ARCHIVER, PartitionFeed, type StreamBatch } from "../stream/partition-feed.ts";
import { StreamChanged } from "../stream/stream-changed.ts";
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
  /** How long a stream may be another than what was archived of it before the position goes back, ms. */
  readonly streamChangedMs: number;
}

/** How a partition starts over. A feed that worked for a while was no failure to begin with. */
const START_OVER = { firstMs: 100, longestMs: 5_000, stableMs: 60_000 };

/**
 * Archives one partition until the signal is aborted: takes it, reads the position, opens the feed behind it,
 * and brings group after group into the archive. Whatever fails, it starts over from the position after a pause
 * that grows; nothing is acked that is not committed. While another process has the partition, it waits.
 */
export async function archivePartition(
  partition: number,
  deps: WorkerDeps,
  signal: AbortSignal,
): Promise<void> {
  const changed = new StreamChanged(partition, {
    ...deps,
    // A batch that comes again is in the archive twice, as one that a collector sent twice.
    rewind: (range) => rewindArchive(deps.pool, partition, range),
    onRewind: () => deps.metrics.rewinds.inc({ partition }),
  });
  const work = async () => {
    try {
      const ownership = await ownPartition(deps.pool, { ...deps, partition }, signal);
      await ownership?.use((owned) => workOwned(partition, owned, { ...deps, changed }));
    } catch (error) {
      if (signal.aborted) return;
      deps.metrics.failures.inc({ partition });
      deps.log.warn({ err: error, partition }, "partition starts over");
      await changed
        .failed(error)
        .catch((err: unknown) => deps.log.warn({ err, partition }, "position not moved back"));
      throw error;
    }
  };
  while (!signal.aborted) {
    await withRetry(work, { ...START_OVER, signal }).catch(() => {});
    await sleep(deps.leaseMs / 3, undefined, { signal }).catch(() => {});
  }
}

async function workOwned(
  partition: number,
  { position, signal }: Owned,
  deps: WorkerDeps & { readonly changed: StreamChanged },
): Promise<void> {
  let { seq: after, storedTime: afterTime, plannedThrough } = position;
  const options = { partition, after, afterTime, maxBytes: deps.fetchMaxBytes, durable: ARCHIVER };
  const feed = await PartitionFeed.open(deps.nats, options);
  deps.changed.opened();
  const onFirst = ({ seq, pending, storedTime }: StreamBatch) => {
    deps.changed.seen(seq + pending);
    deps.metrics.lag.waitsSince(partition, storedTime);
  };
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
