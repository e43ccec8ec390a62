import type { Pool } from "../../internal/store/pool.ts";

/** A raw row, as far as it is compared. */
export interface StoredRow {
  readonly merchantId: number;
  readonly eventId: string;
  readonly name: string;
  readonly url: string | null;
  /** ms since 1970-01-01 UTC. */
  readonly timeMs: number;
  readonly orderId: string | null;
  readonly revenueMicros: number | null;
}

/** All raw rows of some merchants, by plain SQL. */
export async function readRows(pool: Pool, merchantIds: readonly number[]): Promise<StoredRow[]> {
  const { rows } = await pool.query<StoredRow>(
    `SELECT merchant_id AS "merchantId", event_id AS "eventId", name, url,
       (extract(epoch FROM ts) * 1000)::float8 AS "timeMs", order_id AS "orderId",
       order_revenue_micros::float8 AS "revenueMicros"
     FROM events WHERE merchant_id = ANY($1::integer[])`,
    [merchantIds],
  );
  return rows;
}

/** How many rows, and different ids among them, each merchant has. */
export async function countRows(pool: Pool): Promise<Map<number, { rows: number; ids: number }>> {
  const { rows } = await pool.query<{ merchantId: number; rows: number; ids: number }>(
    `SELECT merchant_id AS "merchantId", count(*)::integer AS rows, count(DISTINCT event_id)::integer AS ids
     FROM events GROUP BY merchant_id`,
  );
  return new Map(rows.map(({ merchantId, ...counts }) => [merchantId, counts]));
}

/** The last sequence of each partition whose effect is committed. */
export async function readPositions(pool: Pool): Promise<number[]> {
  const { rows } = await pool.query<{ seq: number }>(
    "SELECT stream_seq::float8 AS seq FROM partitions ORDER BY partition_id",
  );
  return rows.map(({ seq }) => seq);
}

/** Sequences that aggregators found missing, as a person reads them. */
export async function readGaps(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ gap: string }>(
    `SELECT format('partition %s has no sequences %s to %s', partition_id, first_seq, last_seq) AS gap
     FROM stream_gaps ORDER BY partition_id, first_seq`,
  );
  return rows.map(({ gap }) => gap);
}
