import { randomUUID } from "node:crypto";
import { type EventRow, eventRow } from "../../../../test/kit/columns.ts";
import { batchOf, commitNext } from "../../../../test/kit/commits.ts";
import { uuidV7Of } from "../../../../test/kit/ids.ts";
import type { Pool } from "../../pool.ts";

export const DAY = 86_400_000;
export const QUARTER_HOUR = 900_000;

/** Noon of a day long enough ago that everything was received before an erasure of now. */
export const NOON = Date.UTC(2026, 2, 20, 12);

/** Small repeatable random numbers, [0, 1): a linear congruential generator (Numerical Recipes). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Events of two merchants' visitors 1 to 6 (the same hashes with both) in the 25 days before NOON: page views,
 * purchases with items, a few bots. Every order id is its own. Half of the visitors have sessions that storage finds.
 */
export function shopEvents(count: number, seed = 1): EventRow[] {
  const random = randomOf(seed);
  const pick = (n: number) => Math.floor(random() * n);
  return Array.from({ length: count }, (_, at) => {
    const visitor = BigInt(1 + pick(6));
    const ts = NOON - pick(25) * DAY - pick(600) * 60_000;
    const isPurchase = random() < 0.2;
    const item = { item_id: `item ${pick(9)}`, name: null, brand: null, category: null, variant: null };
    return eventRow({
      merchant_id: 1 + pick(2),
      visitor_id: visitor,
      session_id: visitor % 2n === 0n ? 0n : visitor * 100n + BigInt(pick(9)),
      event_id: at % 2 === 0 ? randomUUID() : uuidV7Of(ts),
      ts,
      received_at: ts + 1_000,
      is_bot: visitor === 6n,
      name: isPurchase ? "purchase" : "page_view",
      ...(isPurchase && {
        order: { ...ORDER, id: `order ${at}`, revenue: 1_000_000 * at, converted: 1_000_000 * at },
        items: Array.from({ length: 1 + pick(3) }, () => ({
          ...item,
          price_micros: 5,
          quantity_micros: 1_000_000,
        })),
      }),
    });
  });
}

export const ORDER = { tax: 0, shipping: 0, discount: 0, currency: "EUR", coupon: null };

/** Commits events in batches of 50. */
export async function store(pool: Pool, events: readonly EventRow[]): Promise<void> {
  for (let at = 0; at < events.length; at += 50) await commitNext(pool, [batchOf(events.slice(at, at + 50))]);
}

/** What the continuous aggregate must hold of some events, by plain counting. Each order id is one event's. */
export function totalsOf(events: readonly EventRow[]): unknown[] {
  const cells = new Map<string, { events: number; page_views: number; orders: number; revenue: number }>();
  for (const { merchant_id, ts, is_bot, name, order } of events) {
    const key = `${merchant_id} ${Math.floor(ts / QUARTER_HOUR) * QUARTER_HOUR} ${is_bot}`;
    const cell = cells.get(key) ?? { events: 0, page_views: 0, orders: 0, revenue: 0 };
    cells.set(key, cell);
    cell.events++;
    if (name === "page_view") cell.page_views++;
    if (order === null) continue;
    cell.orders++;
    cell.revenue += Number(order.converted ?? 0);
  }
  return [...cells].map(([key, cell]) => ({ key, ...cell })).sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The same, as the aggregate holds it. */
export async function storedTotals(pool: Pool): Promise<unknown[]> {
  const { rows } = await pool.query<{ key: string }>(
    `SELECT merchant_id || ' ' || (extract(epoch FROM bucket) * 1000)::bigint || ' ' || is_bot AS key,
       events::integer, page_views::integer, orders::integer, coalesce(revenue_micros, 0)::float8 AS revenue
     FROM totals_15m`,
  );
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Ids of the events, and of the events of the items and of the claimed orders, that are stored; each sorted. */
export async function storedIds(pool: Pool) {
  const { rows } = await pool.query<Record<"events" | "items" | "orders", string[]>>(
    `SELECT array(SELECT event_id::text FROM events) AS events, array(SELECT event_id::text FROM items) AS items,
       array(SELECT event_id::text FROM order_keys) AS orders`,
  );
  const { events, items, orders } = rows[0]!;
  return { events: events.sort(), items: items.sort(), orders: orders.sort() };
}

/** The same of a list of events. */
export function idsOf(list: readonly EventRow[]) {
  const events = list.map(({ event_id }) => event_id).sort();
  const items = list.flatMap(({ event_id, items }) => items.map(() => event_id)).sort();
  const orders = list.filter(({ order }) => order !== null).map(({ event_id }) => event_id);
  return { events, items, orders: orders.sort() };
}
