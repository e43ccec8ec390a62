import {
  type ArchivePosition,
  claimPartition,
  type Lease,
  releasePartition,
} from "../store/archive-positions.ts";
import type { Pool } from "../store/pool.ts";

/** A partition that is this process' for a while. */
export interface Owned {
  readonly position: ArchivePosition;
  /** Aborted when another process has taken the partition, or with the outer signal. */
  readonly signal: AbortSignal;
}

export interface Ownership {
  /** Runs the work, keeping the partition meanwhile, and lets others take it when the work ends. */
  use(work: (owned: Owned) => Promise<void>): Promise<void>;
}

/**
 * Takes a partition, if it is free. Ownership spares two archivers from doing the same work; what keeps them
 * from doing it twice is the position.
 */
export async function ownPartition(
  pool: Pool,
  lease: Lease,
  outer: AbortSignal,
): Promise<Ownership | undefined> {
  const position = await claimPartition(pool, lease);
  if (position === undefined) return undefined;
  return {
    async use(work) {
      const lost = new AbortController();
      const timer = setInterval(() => void keep(pool, lease, lost), lease.leaseMs / 3);
      try {
        await work({ position, signal: AbortSignal.any([outer, lost.signal]) });
      } finally {
        clearInterval(timer);
        // Without it, the others wait until it runs out.
        await releasePartition(pool, lease).catch(() => {});
      }
    },
  };
}

async function keep(pool: Pool, lease: Lease, lost: AbortController): Promise<void> {
  try {
    if ((await claimPartition(pool, lease)) !== undefined) return;
    lost.abort(new Error("another archiver has taken the partition"));
  } catch {
    // The database is away: whatever needs it fails by itself.
  }
}
