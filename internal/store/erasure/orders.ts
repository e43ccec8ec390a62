import { convertMicros, findRates } from "../currency-rates.ts";
import { DAY_MS } from "../day.ts";
import { prepareForColumnstore } from "../decompression.ts";
import { OrderKind, Stage } from "../event-columns.ts";
import type { Client, Pool } from "../pool.ts";
import { type Amounts, type Convert, countEvent } from "./heir.ts";
import { lockPartition, transactionInTries } from "./in-tries.ts";
import { markRemoved, quarterHoursOf } from "./rows.ts";
import type { Erasure } from "./subject.ts";
import { eventChunks, type Window } from "./windows.ts";

/** What a claim is for: orders, or refunds. */
interface Claims {
  /** The column of erasures that has the order or refund keys which erased events had claimed. */
  readonly freed: "freed_orders" | "freed_refunds";
  /** What an event that brought it again is, and what it becomes. */
  readonly repeat: number;
  readonly counted: { readonly kind: number; readonly stage: number; readonly sign: bigint };
  /** SQL: the key of a row of events; $1 is the merchant. */
  readonly key: string;
  /** SQL: $1 merchant, $2 order, $3 event, $4 its time, $5 micros, $6 currency (null: the merchant's), $7 the key, if asked for. */
  readonly claim: string;
  readonly claimsKey: boolean;
}

const ORDERS: Claims = {
  freed: "freed_orders",
  repeat: OrderKind.REPEAT,
  counted: { kind: OrderKind.ORDER, stage: Stage.ORDER, sign: 1n },
  key: "order_id",
  claim: `INSERT INTO order_keys (merchant_id, order_id, event_id, ts, total_micros, currency)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
  claimsKey: false,
};

// Refunds that have counted before have an id of their own, or none at all: see refund-keys.ts.
const REFUND_KEY = `CASE WHEN refund_id IS NOT NULL THEN 'id ' || refund_id
  ELSE 'amount ' || order_revenue_micros || ' '
    || coalesce(nullif(order_currency, (SELECT currency FROM merchants WHERE merchant_id = $1)), '') END`;

const REFUNDS: Claims = {
  freed: "freed_refunds",
  repeat: OrderKind.REFUND_REPEAT,
  counted: { kind: OrderKind.REFUND, stage: Stage.REFUND, sign: -1n },
  key: `json_build_array(order_id, ${REFUND_KEY})::text`,
  claim: `INSERT INTO refund_keys (merchant_id, order_id, refund_key, event_id, ts, amount_micros, currency)
    VALUES ($1, $2, $7::json->>1, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
  claimsKey: true,
};

/** An event that brought an order or a refund again, and of which it is the first event now. */
interface Heir extends Amounts {
  readonly key: string;
  readonly orderId: string;
  readonly eventId: string;
  /** Ms since 1970-01-01 UTC. */
  readonly ts: number;
  readonly received: number;
  readonly currency: string | null;
}

/** Orders of one transaction. */
const STEP = 50;

/**
 * Another event may have brought an order or a refund that an erased event had claimed (the shop's server, another
 * visitor's browser): it counts now, as if the erased one had never been.
 */
export async function passOnOrders(pool: Pool, erasure: Erasure): Promise<void> {
  for (const claims of [ORDERS, REFUNDS]) await passOnClaims(pool, erasure, claims);
}

async function passOnClaims(pool: Pool, erasure: Erasure, claims: Claims): Promise<void> {
  const freed = await freedKeys(pool, erasure, claims);
  if (freed.length === 0) return;
  const own = await currencyOf(pool, erasure.merchantId);
  const heirs = new Map<string, Heir>();
  for (const chunk of await eventChunks(pool)) {
    for (const heir of await repeatsIn(pool, erasure, chunk, claims, freed)) {
      const first = heirs.get(heir.key);
      if (first === undefined || isBefore(heir, first)) heirs.set(heir.key, heir);
    }
  }
  for (let at = 0; at < freed.length; at += STEP) {
    const keys = freed.slice(at, at + STEP);
    const found = keys.flatMap((key) => heirs.get(key) ?? []);
    const converts = await convertsOf(pool, own, found);
    await transactionInTries(pool, (client) =>
      passOn(client, erasure, { claims, keys, heirs: found, converts, own }),
    );
  }
}

async function freedKeys(pool: Pool, { erasureId }: Erasure, { freed }: Claims): Promise<string[]> {
  const { rows } = await pool.query<{ keys: string[] }>(
    `SELECT ${freed} AS keys FROM erasures WHERE erasure_id = $1`,
    [erasureId],
  );
  return rows[0]!.keys;
}

async function currencyOf(pool: Pool, merchantId: number): Promise<string | null> {
  const { rows } = await pool.query<{ currency: string }>(
    "SELECT currency FROM merchants WHERE merchant_id = $1",
    [merchantId],
  );
  return rows[0]?.currency ?? null;
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
  claims: Claims,
  freed: readonly string[],
): Promise<Heir[]> {
  const { rows } = await pool.query<Heir>(
    `SELECT ${claims.key} AS key, order_id AS "orderId", event_id AS "eventId",
       (extract(epoch FROM ts) * 1000)::float8 AS ts, (extract(epoch FROM received_at) * 1000)::float8 AS received,
       order_revenue_micros::text AS revenue, order_tax_micros::text AS tax, order_shipping_micros::text AS shipping,
       order_discount_micros::text AS discount, order_cost_micros::text AS cost, order_currency AS currency
     FROM events
     WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 AND order_kind = $4 AND ${claims.key} = ANY ($5::text[])`,
    [merchantId, new Date(from), new Date(to), claims.repeat, freed],
  );
  return rows;
}

/** How the amounts of each event come into the merchant's currency, by the rule of the step `commerce`. */
async function convertsOf(pool: Pool, own: string | null, heirs: readonly Heir[]): Promise<Convert[]> {
  if (heirs.length === 0) return [];
  const needs = heirs.flatMap(({ currency, ts }) => {
    const day = Math.floor(ts / DAY_MS);
    return [
      { currency: own ?? "", day },
      { currency: currency ?? "", day },
    ];
  });
  const perEuro = await findRates(pool, needs);
  const rate = (at: number) => (needs[at]!.currency === "EUR" ? 1 : perEuro[at]);
  return heirs.map(({ currency }, at) => (micros) => {
    if (currency === null || currency === own) return micros;
    return convertMicros(micros, rate(2 * at + 1), rate(2 * at)) ?? null;
  });
}

interface Passing {
  readonly claims: Claims;
  readonly keys: readonly string[];
  readonly heirs: readonly Heir[];
  readonly converts: readonly Convert[];
  /** The merchant's currency. */
  readonly own: string | null;
}

/** Gives claims to their heirs, unless a new event has claimed them meanwhile; and forgets that they were freed. */
async function passOn(
  client: Client,
  erasure: Erasure,
  { claims, keys, heirs, converts, own }: Passing,
): Promise<void> {
  const { erasureId, merchantId, partition } = erasure;
  await lockPartition(client, partition);
  await prepareForColumnstore(client);
  const changed: Heir[] = [];
  for (const [at, heir] of heirs.entries()) {
    const { eventId, ts, revenue, currency } = heir;
    const foreign = currency === own ? null : currency;
    const claim = [merchantId, heir.orderId, eventId, new Date(ts), revenue, foreign];
    const { rowCount } = await client.query(claims.claim, claims.claimsKey ? [...claim, heir.key] : claim);
    if (rowCount === 0) continue;
    const event = { merchantId, ts, eventId };
    await countEvent(client, event, { ...claims.counted, amounts: heir, convert: converts[at]! });
    changed.push(heir);
  }
  await client.query(
    `UPDATE erasures SET ${claims.freed} = ARRAY(SELECT unnest(${claims.freed}) EXCEPT SELECT unnest($2::text[]))
     WHERE erasure_id = $1`,
    [erasureId, keys],
  );
  if (changed.length > 0) await markRemoved(client, erasure, quarterHoursOf(changed));
}
