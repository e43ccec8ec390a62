import { Excess, OrderKind } from "./event-columns.ts";
import { type Order, type OrderClaim, ordersOf } from "./order-keys.ts";
import type { Client } from "./pool.ts";

/** Events of one batch and, to be filled, which of its refunds have counted before or are too much. */
export interface RefundClaim extends OrderClaim {
  /** Set to values of Excess, one an order. */
  readonly excess: Uint8Array;
}

interface Refund extends Order {
  readonly claim: RefundClaim;
  readonly key: string;
}

// An event that is processed again finds its own claim, and counts as it did.
const CLAIM = `WITH given AS (
    SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::uuid[], $5::float8[], $6::bigint[], $7::text[])
      AS g (merchant_id, order_id, refund_key, event_id, ms, amount_micros, currency)
  ), claimed AS (
    INSERT INTO refund_keys (merchant_id, order_id, refund_key, event_id, ts, amount_micros, currency)
    SELECT merchant_id, order_id, refund_key, event_id, to_timestamp(ms / 1000), amount_micros, currency FROM given
    ON CONFLICT DO NOTHING
    RETURNING merchant_id, order_id, refund_key
  )
  SELECT merchant_id, order_id, refund_key FROM claimed
  UNION ALL
  SELECT g.merchant_id, g.order_id, g.refund_key
  FROM given g JOIN refund_keys k USING (merchant_id, order_id, refund_key, event_id)`;

// What was given back of each order before, in the order's currency. An order of very many refunds is looked at so far.
const ORDERS = `SELECT k.merchant_id, k.order_id, k.total_micros::text AS total, k.currency, refunded.micros::text AS refunded
  FROM (SELECT DISTINCT * FROM unnest($1::integer[], $2::text[]) AS g (merchant_id, order_id)) given
  JOIN order_keys k USING (merchant_id, order_id)
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_micros), 0) AS micros
    FROM (
      SELECT r.amount_micros FROM refund_keys r
      WHERE r.merchant_id = k.merchant_id AND r.order_id = k.order_id
        AND r.currency IS NOT DISTINCT FROM k.currency AND r.event_id <> ALL ($3::uuid[])
      LIMIT 1000
    ) told
  ) refunded
  WHERE k.total_micros IS NOT NULL`;

/**
 * Claims the refunds of a transaction, each for the first event that tells it, marks those that another event told
 * before, and finds out which give back more than their order was. Comes after the claims of orders, so that those of the
 * same transaction are known. Two statements, and only where there are refunds.
 */
export async function claimRefunds(client: Client, claims: readonly RefundClaim[]): Promise<void> {
  const first = new Map<string, Refund>();
  for (const claim of claims) {
    for (const order of ordersOf(claim, OrderKind.REFUND)) {
      const refund = { ...order, claim, key: keyOf(order) };
      const place = placeOf(refund.merchantId, refund.orderId, refund.key);
      if (first.has(place)) claim.repeats[refund.at] = 1;
      else first.set(place, refund);
    }
  }
  if (first.size === 0) return;
  const repeated = await claimed(client, first);
  for (const { claim, at } of repeated.values()) claim.repeats[at] = 1;
  const counted = [...first].flatMap(([place, refund]) => (repeated.has(place) ? [] : [refund]));
  await markExcess(client, counted);
}

/** What tells one refund of an order from another: its own id, else the event's where it came with one, else the amount. */
function keyOf({ claim, row, at, eventId, micros, currency }: Order): string {
  const { keyTimes, orders, texts } = claim.columns;
  const id = texts.text(orders!.fields.refundId?.[at] ?? 0);
  if (id !== undefined) return `id ${id}`;
  if (!Number.isNaN(keyTimes[row])) return `event ${eventId}`;
  return `amount ${micros} ${currency ?? ""}`;
}

/** @returns those of the refunds that other events have claimed. */
async function claimed(client: Client, given: ReadonlyMap<string, Refund>): Promise<Map<string, Refund>> {
  const refunds = [...given.values()];
  const { rows } = await client.query<{ merchant_id: number; order_id: string; refund_key: string }>(CLAIM, [
    refunds.map(({ merchantId }) => merchantId),
    refunds.map(({ orderId }) => orderId),
    refunds.map(({ key }) => key),
    refunds.map(({ eventId }) => eventId),
    refunds.map(({ time }) => time),
    refunds.map(({ micros }) => micros),
    refunds.map(({ currency }) => currency),
  ]);
  const others = new Map(given);
  for (const { merchant_id, order_id, refund_key } of rows) {
    others.delete(placeOf(merchant_id, order_id, refund_key));
  }
  return others;
}

interface KnownOrder {
  readonly merchant_id: number;
  readonly order_id: string;
  readonly total: string;
  readonly currency: string | null;
  readonly refunded: string;
}

/** Of several refunds of one order each is added to those before it. */
async function markExcess(client: Client, refunds: readonly Refund[]): Promise<void> {
  if (refunds.length === 0) return;
  const { rows } = await client.query<KnownOrder>(ORDERS, [
    refunds.map(({ merchantId }) => merchantId),
    refunds.map(({ orderId }) => orderId),
    refunds.map(({ eventId }) => eventId),
  ]);
  const orders = new Map(
    rows.map(({ merchant_id, order_id, total, currency, refunded }) => [
      placeOf(merchant_id, order_id),
      { total: BigInt(total), currency, refunded: BigInt(refunded) },
    ]),
  );
  for (const { claim, at, merchantId, orderId, micros, currency } of refunds) {
    const order = orders.get(placeOf(merchantId, orderId));
    if (order === undefined || order.currency !== currency) continue;
    order.refunded += micros;
    claim.excess[at] = order.refunded > order.total ? Excess.OVER : Excess.WITHIN;
  }
}

function placeOf(merchantId: number, orderId: string, key = ""): string {
  return JSON.stringify([merchantId, orderId, key]);
}
