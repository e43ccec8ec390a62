import { type EventColumns, OrderKind } from "./event-columns.ts";
import type { Client } from "./pool.ts";

const ID_BYTES = 16;

/** Events of one batch and, to be filled, which of its orders have counted before. */
export interface OrderClaim {
  readonly columns: EventColumns;
  /** 1 for each row whose event is not written: its order is not looked at. */
  readonly duplicates: Uint8Array;
  /** Set to 1 for each order, and each refund, that was claimed by another event. */
  readonly repeats: Uint8Array;
}

/** An order of a kind that is claimed. */
export interface Order {
  readonly merchantId: number;
  readonly orderId: string;
  /** Hexadecimal. */
  readonly eventId: string;
  /** Ms since 1970-01-01 UTC. */
  readonly time: number;
  readonly micros: bigint;
  /** Null: the merchant's. */
  readonly currency: string | null;
  readonly claim: OrderClaim;
  readonly row: number;
  readonly at: number;
}

// An event that is processed again finds its own claim, and counts as it did.
const CLAIM = `WITH given AS (
    SELECT * FROM unnest($1::integer[], $2::text[], $3::uuid[], $4::float8[], $5::bigint[], $6::text[])
      AS g (merchant_id, order_id, event_id, ms, total_micros, currency)
  ), claimed AS (
    INSERT INTO order_keys (merchant_id, order_id, event_id, ts, total_micros, currency)
    SELECT merchant_id, order_id, event_id, to_timestamp(ms / 1000), total_micros, currency FROM given
    ON CONFLICT DO NOTHING
    RETURNING merchant_id, order_id
  )
  SELECT merchant_id, order_id FROM claimed
  UNION ALL
  SELECT g.merchant_id, g.order_id FROM given g JOIN order_keys k USING (merchant_id, order_id, event_id)`;

/**
 * Claims the order ids of a transaction's orders, each for the first event that has it, and marks the orders that
 * another event brought before: a thank-you page that is loaded again is another event with the same order.
 * One statement, and only where there are orders; few events have one.
 */
export async function claimOrders(client: Client, claims: readonly OrderClaim[]): Promise<void> {
  const first = new Map<string, Order>();
  for (const claim of claims) {
    for (const order of ordersOf(claim, OrderKind.ORDER)) {
      const key = keyOf(order.merchantId, order.orderId);
      if (first.has(key)) claim.repeats[order.at] = 1;
      else first.set(key, order);
    }
  }
  if (first.size === 0) return;
  const orders = [...first.values()];
  const { rows } = await client.query<{ merchant_id: number; order_id: string }>(CLAIM, [
    orders.map(({ merchantId }) => merchantId),
    orders.map(({ orderId }) => orderId),
    orders.map(({ eventId }) => eventId),
    orders.map(({ time }) => time),
    orders.map(({ micros }) => micros),
    orders.map(({ currency }) => currency),
  ]);
  for (const { merchant_id, order_id } of rows) first.delete(keyOf(merchant_id, order_id));
  for (const { claim, at } of first.values()) claim.repeats[at] = 1;
}

/** A batch's orders of a kind whose events are written. @param kind a value of OrderKind. */
export function* ordersOf(claim: OrderClaim, kind: number): Iterable<Order> {
  const { columns, duplicates } = claim;
  const { orders } = columns;
  if (orders === undefined) return;
  const ids = Buffer.from(columns.eventIds.buffer, columns.eventIds.byteOffset, columns.eventIds.length);
  for (let at = 0; at < orders.row.length; at++) {
    const row = orders.row[at]!;
    if (orders.kind[at] !== kind || duplicates[row] === 1) continue;
    yield {
      merchantId: columns.merchantIds[row]!,
      orderId: columns.texts.text(orders.fields.id![at]!)!,
      eventId: ids.toString("hex", row * ID_BYTES, (row + 1) * ID_BYTES),
      time: columns.time.get(row),
      micros: orders.fields.revenueMicros!.get(at),
      currency: orders.isForeign[at] === 1 ? columns.texts.text(orders.fields.currency?.[at] ?? 0)! : null,
      claim,
      row,
      at,
    };
  }
}

function keyOf(merchantId: number, orderId: string): string {
  return `${merchantId} ${orderId}`;
}
