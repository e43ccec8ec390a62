import type { Pool } from "../pool.ts";
import type { Erasure, Person } from "./subject.ts";

/** Which visitors have lost events, and where. */
export interface Losses {
  /** Hashes. */
  readonly visitors: readonly (bigint | string)[];
  /** Before this they have lost none; ms since 1970-01-01 UTC. */
  readonly from: number;
  /** From here on they may have events left, ms. */
  readonly leftFrom: number;
}

/** Of an erasure whose events are gone. Of a visitor all is gone up to the erasure; of others' visitors, what named them. */
export async function lossesOf(
  pool: Pool,
  { erasureId, erasedThrough }: Erasure,
  { kind, hash }: Person,
): Promise<Losses> {
  if (kind === "visitor") {
    return { visitors: [hash], from: Number.NEGATIVE_INFINITY, leftFrom: erasedThrough };
  }
  const { rows } = await pool.query<{ visitors: string[]; from: number }>(
    `SELECT visitors, coalesce(extract(epoch FROM first_time) * 1000, 0)::float8 AS from
     FROM erasures WHERE erasure_id = $1`,
    [erasureId],
  );
  const { visitors, from } = rows[0]!;
  return { visitors, from, leftFrom: from };
}
