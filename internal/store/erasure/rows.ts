import { bucketStart, grainOf } from "../continuous-aggregates.ts";
import { raiseVersions } from "../day-versions.ts";
import { prepareForColumnstore } from "../decompression.ts";
import { invalidate } from "../invalidations.ts";
import type { Client } from "../pool.ts";
import { countRemoved } from "./removals.ts";
import { type Erasure, eventsOf } from "./subject.ts";
import type { Window } from "./windows.ts";

interface Removed {
  readonly id: string;
  readonly ts: number;
  readonly order_id: string | null;
  readonly visitor_id: string;
}

/**
 * Removes the rows of a window: events, their items, and the orders and refunds that they claimed. Quarter hours and order
 * ids are written down with it, and an interrupted erasure knows what is left to do about them.
 * @returns how many events there were.
 */
export async function removeWindow(client: Client, erasure: Erasure, window: Window): Promise<number> {
  await prepareForColumnstore(client);
  const events = await removeEvents(client, erasure, window);
  if (events.length === 0) return 0;
  const items = await removeItems(client, erasure, window, events);
  const isPerson = erasure.person !== undefined;
  const orders = isPerson ? await freeKeys(client, erasure, events, KEYS.orders) : [];
  const refunds = isPerson ? await freeKeys(client, erasure, events, KEYS.refunds) : [];
  await countRemoved(client, erasure.erasureId, {
    events: events.length,
    items,
    order_keys: orders.length,
    refund_keys: refunds.length,
  });
  await noteTimes(client, erasure, events);
  if (erasure.person !== undefined) {
    const visitors = erasure.person.kind === "visitor" ? [] : events.map(({ visitor_id }) => visitor_id);
    await markRemoved(client, erasure, quarterHoursOf(events), { orders, refunds, visitors });
  } else {
    const times = events.map(({ ts }) => ts);
    await raiseVersions(client, erasure.partition, times);
  }
  return events.length;
}

async function removeEvents(client: Client, erasure: Erasure, { from, to }: Window): Promise<Removed[]> {
  const { sql, values } = eventsOf(erasure);
  const at = values.length;
  const { rows } = await client.query<Removed>(
    `DELETE FROM events e WHERE ${sql} AND e.ts >= $${at + 1} AND e.ts < $${at + 2}
     RETURNING e.event_id AS id, (extract(epoch FROM e.ts) * 1000)::float8 AS ts, e.order_id, e.visitor_id`,
    [...values, new Date(from), new Date(to)],
  );
  return rows;
}

async function removeItems(
  client: Client,
  { merchantId, person }: Erasure,
  { from, to }: Window,
  events: readonly Removed[],
): Promise<number> {
  const isWhole = person === undefined;
  const values = [merchantId, new Date(from), new Date(to), ...(isWhole ? [] : [events.map(({ id }) => id)])];
  const { rowCount } = await client.query(
    `DELETE FROM items WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 ${isWhole ? "" : "AND event_id = ANY ($4::uuid[])"}`,
    values,
  );
  return rowCount ?? 0;
}

/**
 * Gives up the ids that the events had claimed for their orders or refunds.
 * @param freed SQL of what is returned of each key; of refunds as orders.ts has them.
 */
async function freeKeys(
  client: Client,
  { merchantId }: Erasure,
  events: readonly Removed[],
  { table, freed }: (typeof KEYS)[keyof typeof KEYS],
): Promise<string[]> {
  const orders = events.filter(({ order_id }) => order_id !== null);
  if (orders.length === 0) return [];
  const { rows } = await client.query<{ freed: string }>(
    `DELETE FROM ${table} k USING unnest($2::text[], $3::uuid[]) AS gone (order_id, event_id)
     WHERE k.merchant_id = $1 AND k.order_id = gone.order_id AND k.event_id = gone.event_id
     RETURNING ${freed} AS freed`,
    [merchantId, orders.map(({ order_id }) => order_id), orders.map(({ id }) => id)],
  );
  return rows.map(({ freed: key }) => key);
}

const KEYS = {
  orders: { table: "order_keys", freed: "k.order_id" },
  refunds: { table: "refund_keys", freed: "json_build_array(k.order_id, k.refund_key)::text" },
} as const;

function noteTimes(client: Client, { erasureId }: Erasure, events: readonly Removed[]) {
  const times = events.map(({ ts }) => ts);
  return client.query(
    `UPDATE erasures SET first_time = least(first_time, to_timestamp($2::float8 / 1000)),
       last_time = greatest(last_time, to_timestamp($3::float8 / 1000)) WHERE erasure_id = $1`,
    [erasureId, times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))],
  );
}

/** The quarter hours of some events, ms, ascending. */
export function quarterHoursOf(events: readonly { readonly ts: number }[]): number[] {
  const buckets = new Set(events.map(({ ts }) => bucketStart(grainOf("15m"), ts)));
  return [...buckets].sort((a, b) => a - b);
}

/** What is still to be seen to when events have gone: what they had claimed, by key, and whose they were. */
interface ToSeeTo {
  readonly orders: readonly string[];
  readonly refunds: readonly string[];
  readonly visitors: readonly string[];
}

/** Marks quarter hours, ms: reports count them from the rows until they are refreshed. What is to be seen to is noted with it. */
export async function markRemoved(
  client: Client,
  { erasureId, partition }: Erasure,
  quarterHours: readonly number[],
  { orders, refunds, visitors }: ToSeeTo = { orders: [], refunds: [], visitors: [] },
): Promise<void> {
  await client.query(
    `UPDATE erasures SET quarter_hours = quarter_hours || ARRAY(SELECT to_timestamp(ms / 1000) FROM unnest($2::float8[]) ms),
       freed_orders = freed_orders || $3::text[], freed_refunds = freed_refunds || $4::text[],
       visitors = ARRAY(SELECT DISTINCT unnest(visitors || $5::bigint[])) WHERE erasure_id = $1`,
    [erasureId, quarterHours, orders, refunds, visitors],
  );
  await invalidate(client, partition, quarterHours);
}
