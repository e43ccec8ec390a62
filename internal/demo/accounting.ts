import type { Pool } from "../store/pool.ts";

/** What the demo prints with --json. */
export interface Accounting {
  /** Distinct events that were sent, or lines of the log. */
  readonly sent: number;
  readonly accepted: number;
  /** Answered "duplicate": safe already, though an earlier answer had got lost. */
  readonly duplicates: number;
  readonly rejected: number;
  /** Raw rows, counted by SQL. */
  readonly stored: number;
  /** Events that the reports show, bots' included. */
  readonly reported: number;
  /** From the sending of an event to the first report that was sure to hold it, 99th percentile. */
  readonly freshness_p99_ms: number;
}

/** Whether every event that was sent is answered, stored once and reported once. */
export function isEqual({ sent, accepted, duplicates, rejected, stored, reported }: Accounting): boolean {
  const safe = accepted + duplicates;
  return sent === safe + rejected && stored === safe && reported === safe;
}

/** Raw rows of some merchants. */
export async function countStored(pool: Pool, merchantIds: readonly number[]): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    "SELECT count(*) FROM events WHERE merchant_id = ANY($1::integer[])",
    [merchantIds],
  );
  return Number(rows[0]!.count);
}

/** First and last moment of a merchant's raw rows, ms since 1970-01-01 UTC; undefined when there is none. */
export async function spanStored(
  pool: Pool,
  merchantId: number,
): Promise<readonly [number, number] | undefined> {
  const { rows } = await pool.query<{ first: Date | null; last: Date | null }>(
    "SELECT min(ts) AS first, max(ts) AS last FROM events WHERE merchant_id = $1",
    [merchantId],
  );
  const { first, last } = rows[0]!;
  return first === null || last === null ? undefined : [first.getTime(), last.getTime()];
}
