import type { Pool } from "../../store/pool.ts";
import type { Item, StoredEvent } from "./naive/event.ts";

/**
 * Stores events with their items, as the aggregator would, without telling anybody that aggregates lack them.
 * @param rollupsFrom of merchants with rollups, ms since 1970-01-01 UTC.
 */
export async function storeEvents(
  pool: Pool,
  events: readonly StoredEvent[],
  rollupsFrom: ReadonlyMap<number, number>,
): Promise<void> {
  const inRollups = ({ merchantId, time }: StoredEvent) =>
    time >= (rollupsFrom.get(merchantId) ?? Number.POSITIVE_INFINITY);
  const rows = events.map((event) => ({ ...eventRow(event), in_rollups: inRollups(event) }));
  const items = events.flatMap((event) =>
    event.items.map((item, position) => ({
      ...itemRow(event, item, position),
      in_rollups: inRollups(event),
    })),
  );
  await insert(pool, "events", rows);
  await insert(pool, "items", items);
  await noteFirstTimes(pool, events);
}

/** As store/visitors keeps them, of events of which earlier ones may be there. */
async function noteFirstTimes(pool: Pool, events: readonly StoredEvent[]): Promise<void> {
  await pool.query(
    `INSERT INTO visitors AS v
     SELECT merchant_id, visitor_id, to_timestamp(min(ms) FILTER (WHERE NOT is_bot) / 1000),
       to_timestamp(min(ms) FILTER (WHERE is_bot) / 1000), date_trunc('month', to_timestamp(max(ms) / 1000))
     FROM unnest($1::integer[], $2::bigint[], $3::float8[], $4::boolean[]) AS e (merchant_id, visitor_id, ms, is_bot)
     GROUP BY merchant_id, visitor_id
     ON CONFLICT (merchant_id, visitor_id) DO UPDATE SET
       people_first_time = least(v.people_first_time, excluded.people_first_time),
       bots_first_time = least(v.bots_first_time, excluded.bots_first_time)`,
    [
      events.map(({ merchantId }) => merchantId),
      events.map(({ visitor }) => visitor),
      events.map(({ time }) => time),
      events.map(({ isBot }) => isBot),
    ],
  );
}

/** Of what a row has, the table's columns are filled. */
async function insert(pool: Pool, table: "events" | "items", rows: readonly object[]): Promise<void> {
  await pool.query(`INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`, [
    JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? String(value) : value)),
  ]);
}

/** A row of events: columns by their names. */
function eventRow(event: StoredEvent): object {
  const time = new Date(event.time).toISOString();
  const { touch, order } = event;
  return {
    ...event.texts,
    ...{ merchant_id: event.merchantId, ts: time, received_at: time, event_id: event.id },
    ...{
      visitor_id: event.visitor,
      user_id: event.user,
      session_id: event.session,
      processor_version: event.processorVersion,
    },
    ...{ name: event.name, screen_width: event.screen?.[0], screen_height: event.screen?.[1] },
    ...{ properties: event.properties, active_ms: event.activeMs, scroll_percent: event.scrollPercent },
    ...{ is_passive: event.isPassive, is_bot: event.isBot, stage: event.stage },
    ...{ channel: touch?.channel, source: touch?.source, medium: touch?.medium, campaign: touch?.campaign },
    ...{ campaign_id: touch?.campaignId, campaign_term: touch?.campaignTerm },
    ...{ campaign_content: touch?.campaignContent, click_id: touch?.clickId },
    ...{ order_kind: order?.kind, order_id: order === null ? null : event.id },
    ...{ order_coupon: order?.coupon, order_currency: order?.currency, order_market: order?.market },
    ...{ order_payment_method: order?.paymentMethod, revenue_micros: order?.revenueMicros },
    ...{ tax_micros: order?.taxMicros, shipping_micros: order?.shippingMicros },
    ...{ discount_micros: order?.discountMicros },
  };
}

/** A row of items, with what it has of its event. */
function itemRow(event: StoredEvent, item: Item, position: number): object {
  return {
    ...{
      merchant_id: event.merchantId,
      ts: new Date(event.time).toISOString(),
      event_id: event.id,
      position,
    },
    ...{ visitor_id: event.visitor, session_id: event.session, is_bot: event.isBot },
    ...{ item_id: item.id, name: item.name, brand: item.brand, category: item.category },
    ...{ variant: item.variant, list_id: item.list, promotion_id: item.promotion, stage: item.stage },
    ...{
      price_micros: 7_000_000n,
      discount_micros: 0n,
      quantity_micros: item.quantityMicros,
      revenue_micros: item.revenueMicros,
    },
  };
}
