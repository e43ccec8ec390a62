import { convertMicros, findRates } from "../currency-rates.ts";
import { prepareForColumnstore } from "../decompression.ts";
import { OrderKind } from "../event-columns.ts";
import type { Client, Pool } from "../pool.ts";
import { lockPartition, patiently } from "./patiently.ts";
import { markStale, quarterHoursOf } from "./rows.ts";
import type { Erasure } from "./subject.ts";
import { eventChunks, type Window } from "./windows.ts";

/** An event that brought an order again, and of which it is the first event now. */
interface Heir {
  readonly orderId: string;
  readonly eventId: string;
  /** Ms since 1970-01-01 UTC. */
  readonly ts: number;
  readonly received: number;
  readonly revenue: string;
  readonly currency: string | null;
}

/** Orders of one transaction. */
const STEP = 50;

/**
 * Another event may have brought an order that an erased event had claimed (the shop's server, another visitor's
 * browser): it counts now, as if the erased one had never been.
 */
export async function passOnOrders(pool: Pool, erasure: Erasure): Promise<void> {
  const freed = await freedOrders(pool, erasure);
  if (freed.length === 0) return;
  const heirs = new Map<string, Heir>();
  for (const chunk of await eventChunks(pool)) {
    for (const heir of await repeatsIn(pool, erasure, chunk, freed)) {
      const first = heirs.get(heir.orderId);
      if (first === undefined || isBefore(heir, first)) heirs.set(heir.orderId, heir);
    }
  }
  for (let at = 0; at < freed.length; at += STEP) {
    const orderIds = freed.slice(at, at + STEP);
    const found = orderIds.flatMap((id) => heirs.get(id) ?? []);
    const revenues = await revenuesOf(pool, erasure.merchantId, found);
    await patiently(pool, (client) => passOn(client, erasure, orderIds, found, revenues));
  }
}

async function freedOrders(pool: Pool, { erasureId }: Erasure): Promise<string[]> {
  const { rows } = await pool.query<{ orders: string[] }>(
    "SELECT freed_orders AS orders FROM erasures WHERE erasure_id = $1",
    [erasureId],
  );
  return rows[0]!.orders;
}

/** In the order in which a replay would come to them. */
function isBefore(a: Heir, b: Heir): boolean {
  return (
    a.received < b.received ||
    (a.received === b.received && (a.ts < b.ts || (a.ts === b.ts && a.eventId < b.eventId)))
  );
}

async function repeatsIn(
  pool: Pool,
  { merchantId }: Erasure,
  { from, to }: Window,
  orders: readonly string[],
): Promise<Heir[]> {
  const { rows } = await pool.query<Heir>(
    `SELECT order_id AS "orderId", event_id AS "eventId", (extract(epoch FROM ts) * 1000)::float8 AS ts,
       (extract(epoch FROM received_at) * 1000)::float8 AS received, order_revenue_micros::text AS revenue,
       order_currency AS currency
     FROM events
     WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 AND order_kind = $4 AND order_id = ANY ($5::text[])`,
    [merchantId, new Date(from), new Date(to), OrderKind.REPEAT, orders],
  );
  return rows;
}

const DAY_MS = 86_400_000;

/** What each order adds in the merchant's currency, micros, by the rule of the step `commerce`; null: not known. */
async function revenuesOf(
  pool: Pool,
  merchantId: number,
  heirs: readonly Heir[],
): Promise<(bigint | null)[]> {
  if (heirs.length === 0) return [];
  const { rows } = await pool.query<{ currency: string }>(
    "SELECT currency FROM merchants WHERE merchant_id = $1",
    [merchantId],
  );
  const own = rows[0]?.currency;
  const needs = heirs.flatMap(({ currency, ts }) => {
    const day = Math.floor(ts / DAY_MS);
    return [
      { currency: own ?? "", day },
      { currency: currency ?? "", day },
    ];
  });
  const perEuro = await findRates(pool, needs);
  const rate = (at: number) => (needs[at]!.currency === "EUR" ? 1 : perEuro[at]);
  return heirs.map(({ currency, revenue }, at) => {
    if (currency === null || currency === own) return BigInt(revenue);
    return convertMicros(BigInt(revenue), rate(2 * at + 1), rate(2 * at)) ?? null;
  });
}

/** Gives orders to their heirs, unless a new event has claimed them meanwhile; and forgets that they were freed. */
async function passOn(
  client: Client,
  erasure: Erasure,
  orderIds: readonly string[],
  heirs: readonly Heir[],
  revenues: readonly (bigint | null)[],
): Promise<void> {
  const { erasureId, merchantId, partition } = erasure;
  await lockPartition(client, partition);
  await prepareForColumnstore(client);
  const changed: Heir[] = [];
  for (const [at, heir] of heirs.entries()) {
    const { rowCount } = await client.query(
      `INSERT INTO order_keys (merchant_id, order_id, event_id, ts, total_micros, currency)
       VALUES ($1, $2, $3, $4, $5, nullif($6, (SELECT currency FROM merchants WHERE merchant_id = $1)))
       ON CONFLICT DO NOTHING`,
      [merchantId, heir.orderId, heir.eventId, new Date(heir.ts), heir.revenue, heir.currency],
    );
    if (rowCount === 0) continue;
    await client.query(
      `UPDATE events SET order_kind = $4, revenue_micros = $5
       WHERE merchant_id = $1 AND ts = $2 AND event_id = $3`,
      [merchantId, new Date(heir.ts), heir.eventId, OrderKind.ORDER, revenues[at]],
    );
    changed.push(heir);
  }
  await client.query(
    `UPDATE erasures SET freed_orders = ARRAY(SELECT unnest(freed_orders) EXCEPT SELECT unnest($2::text[]))
     WHERE erasure_id = $1`,
    [erasureId, orderIds],
  );
  if (changed.length > 0) await markStale(client, erasure, quarterHoursOf(changed));
}
