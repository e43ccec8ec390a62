import { OrderKind } from "../event-columns.ts";
import { itemWorth } from "../item-worth.ts";
import type { Client } from "../pool.ts";

/** An order's or a refund's amounts as they were told, micros in its currency. */
export interface Amounts {
  readonly revenue: string;
  readonly tax: string | null;
  readonly shipping: string | null;
  readonly discount: string | null;
  readonly cost: string | null;
}

/** An amount in the merchant's currency, micros; null: not known. */
export type Convert = (micros: bigint) => bigint | null;

interface Counted {
  /** Of OrderKind: ORDER or REFUND. */
  readonly kind: number;
  /** Of Stage. */
  readonly stage: number;
  /** -1 of what is given back. */
  readonly sign: bigint;
  readonly amounts: Amounts;
  readonly convert: Convert;
}

interface EventPlace {
  readonly merchantId: number;
  /** Ms since 1970-01-01 UTC. */
  readonly ts: number;
  readonly eventId: string;
}

/** Makes an event that had brought an order or a refund again the one that counts, as if it had come first. */
export async function countEvent(client: Client, event: EventPlace, counted: Counted): Promise<void> {
  const { kind, stage, sign, amounts, convert } = counted;
  const part = (told: string | null, absent?: bigint) => {
    const micros = told === null ? absent : BigInt(told);
    return kind === OrderKind.ORDER && micros !== undefined ? convert(micros) : null;
  };
  await client.query(
    `UPDATE events SET order_kind = $4, stage = $5, revenue_micros = $6, tax_micros = $7, shipping_micros = $8,
       discount_micros = $9, cost_micros = $10
     WHERE merchant_id = $1 AND ts = $2 AND event_id = $3`,
    [
      ...placeOf(event),
      kind,
      stage,
      convert(sign * BigInt(amounts.revenue)),
      part(amounts.tax, 0n),
      part(amounts.shipping, 0n),
      part(amounts.discount, 0n),
      part(amounts.cost),
    ],
  );
  await countItems(client, event, counted);
}

const placeOf = ({ merchantId, ts, eventId }: EventPlace) => [merchantId, new Date(ts), eventId];

async function countItems(
  client: Client,
  event: EventPlace,
  { stage, sign, convert }: Counted,
): Promise<void> {
  const { rows } = await client.query<Record<"position" | "price" | "discount" | "quantity", string>>(
    `SELECT position, price_micros::text AS price, discount_micros::text AS discount, quantity_micros::text AS quantity
     FROM items WHERE merchant_id = $1 AND ts = $2 AND event_id = $3`,
    placeOf(event),
  );
  if (rows.length === 0) return;
  const revenues = rows.map(({ price, discount, quantity }) => {
    const told = { price: BigInt(price), discount: BigInt(discount), quantity: BigInt(quantity) };
    const worth = itemWorth(told);
    return worth === undefined ? null : convert(sign * worth);
  });
  await client.query(
    `UPDATE items i SET stage = $4, revenue_micros = counted.revenue
     FROM unnest($5::smallint[], $6::bigint[]) AS counted (position, revenue)
     WHERE i.merchant_id = $1 AND i.ts = $2 AND i.event_id = $3 AND i.position = counted.position`,
    [...placeOf(event), stage, rows.map(({ position }) => position), revenues],
  );
}
