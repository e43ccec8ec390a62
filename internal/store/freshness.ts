import type { Client } from "./pool.ts";
import { BIGINT_TYPES } from "./snapshot.ts";

/** $1 partition. One row, of nulls where there is no such partition. */
const FRESHNESS = "SELECT * FROM freshness($1)";

/** How far an answer goes, and what is known to be missing from it. Times are ms since 1970-01-01 UTC. */
export interface Freshness {
  /** Undefined while nothing of the partition was processed. */
  readonly dataThrough: number | undefined;
  /** Acknowledged events of the partition that collectors' spools are known to hold back. */
  readonly delayedEvents: bigint;
  /** Since when the first of them waits; undefined where none does. */
  readonly delayedSince: number | undefined;
}

/** Columns of the database's function `freshness`, read with BIGINT_TYPES. */
export type FreshnessRow = [
  through: bigint | null,
  delayedEvents: bigint | null,
  delayedSince: bigint | null,
];

export function freshnessOf([through, delayedEvents, since]: FreshnessRow): Freshness {
  const timeOf = (ms: bigint | null) => (ms === null ? undefined : Number(ms));
  return {
    dataThrough: timeOf(through),
    delayedEvents: delayedEvents ?? 0n,
    delayedSince: timeOf(since),
  };
}

/** How far a partition is committed: behind all that collectors hold back of it. */
export async function readFreshness(client: Client, partitionId: number): Promise<Freshness> {
  const result = await client.query<FreshnessRow>({
    text: FRESHNESS,
    values: [partitionId],
    rowMode: "array",
    types: BIGINT_TYPES,
  });
  return freshnessOf(result.rows[0]!);
}
