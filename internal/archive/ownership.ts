import {
  type ArchivePosition,
  claimPartition,
  type Lease,
  releasePartition,
} from "../store/archive-positions.ts";
import type { Pool } from "../store/pool.ts";

/** A partition that is this process' for a while, which is kept up until it is released. */
export interface Ownership {
  readonly position: ArchivePosition;
  /** Aborted when another process has taken the partition, or with the outer signal. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
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
  const lost = new AbortController();
  const renew = () =>
    claimPartition(pool, lease).then(
      (kept) => {
        if (kept === undefined) lost.abort(new Error("another archiver has taken the partition"));
      },
      // The database is away: whatever needs it fails by itself.
      () => {},
    );
  const timer = setInterval(renew, lease.leaseMs / 3);
  return {
    position,
    signal: AbortSignal.any([outer, lost.signal]),
    async release() {
      clearInterval(timer);
      // Without it, the others wait until it runs out.
      await releasePartition(pool, lease).catch(() => {});
    },
  };
}
