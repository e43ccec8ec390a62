import { partitionOf } from "../../event/partition.ts";
import type { Pool } from "../../store/pool.ts";

/** One stored event, as far as reports look at it. */
export interface Row {
  readonly merchantId: number;
  /** Epoch milliseconds. */
  readonly ts: number;
  readonly visitor: number;
  readonly session: number;
  readonly name: string;
  readonly orderId: string | null;
  /** 1 an order, 2 a repeat, 3 a refund. Default: 1 with an order id. */
  readonly orderKind?: number;
  /** Default: a person. */
  readonly isBot?: boolean;
  /** Micros; null for no order, and for one that was not converted. */
  readonly revenue: bigint | null;
}

export const PARTITIONS = 4;
export const A = 1;
/** Shares A's visitors, sessions and, times being dense, quarter hours; but not A's partition. */
export const B = [2, 3, 4, 5].find((id) => partitionOf(id, PARTITIONS) !== partitionOf(A, PARTITIONS))!;

/**
 * `count` events of A and B by turns at random whole seconds of [start, end): the same ones for the same seed.
 * Of three events one carries an order; of those a third is not converted, and some are repeats and refunds. Of
 * five events one is a bot's.
 */
export function randomRows(seed: number, start: string, end: string, count: number): Row[] {
  const next = randomNumbers(seed);
  const first = Date.parse(start) / 1_000;
  const seconds = Date.parse(end) / 1_000 - first;
  return Array.from({ length: count }, (_, index) => {
    const visitor = Math.floor(next() * 50);
    const order = next() < 1 / 3;
    const orderKind = order ? [1, 1, 1, 2, 3][Math.floor(next() * 5)]! : 1;
    const amount = order && next() < 2 / 3 ? BigInt(Math.floor(next() * 1e12)) : null;
    return {
      merchantId: index % 2 === 0 ? A : B,
      ts: (first + Math.floor(next() * seconds)) * 1_000,
      visitor,
      session: visitor * 100 + Math.floor(next() * 4),
      name: next() < 0.5 ? "page_view" : "click",
      orderId: order ? `order-${seed}-${index}` : null,
      orderKind,
      revenue: amount === null || orderKind === 2 ? null : orderKind === 3 ? -amount : amount,
      isBot: next() < 0.2,
    };
  });
}

/** mulberry32 (Tommy Ettinger, public domain): numbers in [0, 1). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Writes rows, as the aggregator commits them, without refreshing anything. */
export async function insertRows(pool: Pool, rows: readonly Row[]): Promise<void> {
  await pool.query(
    `INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version,
       name, order_id, order_revenue_micros, revenue_micros, order_kind, is_bot)
     SELECT merchant_id, ts, ts, gen_random_uuid(), visitor_id, session_id, 1,
       name, order_id, abs(revenue_micros), revenue_micros,
       CASE WHEN order_id IS NOT NULL THEN order_kind END, is_bot
     FROM unnest($1::integer[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
       $8::smallint[], $9::boolean[])
       AS row (merchant_id, ts, visitor_id, session_id, name, order_id, revenue_micros, order_kind, is_bot)`,
    [
      rows.map((row) => row.merchantId),
      rows.map((row) => new Date(row.ts).toISOString()),
      rows.map((row) => row.visitor),
      rows.map((row) => row.session),
      rows.map((row) => row.name),
      rows.map((row) => row.orderId),
      rows.map((row) => row.revenue),
      rows.map((row) => row.orderKind ?? 1),
      rows.map((row) => row.isBot ?? false),
    ],
  );
}

/** Brings the aggregate up to date with all rows. */
export async function refreshTotals(pool: Pool): Promise<void> {
  await pool.query("CALL refresh_continuous_aggregate('totals_15m', NULL, NULL)");
}

/** Notes the quarter hours of rows as written since the last refresh, each for its merchant's partition. */
export async function markStale(pool: Pool, rows: readonly Row[]): Promise<void> {
  await pool.query(
    `INSERT INTO invalidations (grain, start, partition_id)
     SELECT DISTINCT '15m', time_bucket(INTERVAL '15 minutes', ts), partition_id
     FROM unnest($1::timestamptz[], $2::integer[]) AS row (ts, partition_id)
     ON CONFLICT DO NOTHING`,
    [
      rows.map((row) => new Date(row.ts).toISOString()),
      rows.map((row) => partitionOf(row.merchantId, PARTITIONS)),
    ],
  );
}
