import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import type { DimensionName } from "../dimensions/registry.ts";
import { getBreakdown } from "../get-breakdown.ts";
import { A, B, PARTITIONS } from "../testing/fixture.ts";
import type { BreakdownMetric } from "./plan.ts";

interface Stored {
  readonly merchant?: number;
  /** 2025-03-29T12:00Z unless it has a day. */
  readonly at: string;
  readonly session: number;
  readonly visitor?: number;
  readonly name?: string;
  readonly path?: string;
  readonly bot?: boolean;
  /** Its channel, and by other words its source, medium and campaign. */
  readonly from?: string;
  /** 1 an order, 2 a repeat, 3 a refund. */
  readonly kind?: number;
  readonly currency?: string;
  /** Micros: as sent, and in the merchant's currency. */
  readonly revenue?: number;
  readonly converted?: number | null;
  readonly items?: readonly { id: string; brand?: string; price: number; quantity: number }[];
}

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase(PARTITIONS);
  await database.pool.query(
    `INSERT INTO merchants (merchant_id, name, time_zone, currency, retention_days) OVERRIDING SYSTEM VALUE
     SELECT id, 'shop', 'UTC', 'EUR', 4000 FROM unnest($1::integer[]) AS id`,
    [[A, B]],
  );
});
afterAll(() => database?.close());

const store = (rows: readonly Stored[]) =>
  database.pool.query(
    `WITH given AS (
       -- Every second row is as it was stored before the page was a column; of the others the column alone counts.
       SELECT *, gen_random_uuid() AS event_id
       FROM jsonb_to_recordset($1::jsonb) AS r (merchant integer,
         at timestamptz, session bigint, visitor bigint, name text, path text, bot boolean,
         "from" text, kind smallint,
         currency text, revenue bigint, converted bigint, items jsonb)
     ), written AS (
       INSERT INTO events (merchant_id, ts, received_at, event_id, visitor_id, session_id, processor_version, name,
         url, page, is_bot, channel, source, medium, campaign, order_id, order_kind, order_currency,
         order_revenue_micros, revenue_micros)
       SELECT merchant, at, at, event_id, visitor, session, 1, name,
         'https://shop.example' || path, path, bot,
         "from", 'source ' || "from", 'medium ' || "from", 'campaign ' || "from", kind::text, kind, currency, revenue, converted
       FROM given
     )
     INSERT INTO items (merchant_id, ts, event_id, position, item_id, brand, price_micros, quantity_micros)
     SELECT merchant, at, event_id, n, item->>'id', item->>'brand', (item->>'price')::bigint, ((item->>'quantity')::numeric * 1000000)::bigint
     FROM given CROSS JOIN LATERAL jsonb_array_elements(items) WITH ORDINALITY AS i (item, n)`,
    [
      JSON.stringify(
        rows.map(({ at, ...row }) => ({
          merchant: A,
          visitor: row.session,
          name: "page_view",
          bot: false,
          items: [],
          ...row,
          at: at.includes("T") ? at : `2025-03-29T${at}Z`,
        })),
      ),
    ],
  );

const ask = async (dimension: DimensionName, metrics: BreakdownMetric[], includeBots = false) => {
  const { values, series } = await getBreakdown(
    { pool: database.pool, partitions: PARTITIONS, statementTimeoutMs: 30_000 },
    { merchantId: A, timeZone: "UTC", currency: "EUR" },
    { range: { kind: "dates", start: "2025-03-29", end: "2025-03-29" }, dimension, metrics, includeBots },
  );
  return {
    values: Object.fromEntries(values.map((value, i) => [value, series.map((one) => Number(one.values[i]))])),
    totals: series.map(({ total }) => Number(total)),
  };
};

describe("entry and exit pages", () => {
  const visits: readonly Stored[] = [
    // Comes before midnight and goes on; a click comes before the first page view.
    { at: "2025-03-28T23:58Z", session: 1, name: "click", path: "/ad" },
    { at: "2025-03-28T23:59Z", session: 1, path: "/landing" },
    { at: "00:01", session: 1, path: "/a" },
    { at: "00:02", session: 1, path: "/b" },
    // Goes on behind the range.
    { at: "23:59", session: 2, visitor: 1, path: "/a" },
    { at: "2025-03-30T00:01Z", session: 2, visitor: 1, path: "/thanks" },
    { at: "10:00", session: 3, path: "/a" },
    { at: "10:01", session: 3, name: "purchase", path: "/thanks", kind: 1, revenue: 5, converted: 5 },
    { at: "11:00", session: 4, name: "click", path: "/a" },
    { at: "12:00", session: 5, path: "/bot", bot: true },
    { at: "12:00", session: 6, merchant: B, path: "/b" },
    // The same session's number at another merchant.
    { at: "09:00", session: 3, merchant: B, path: "/b" },
  ];
  beforeAll(() => store(visits));

  test("events are told apart by where their session entered, also before the range", async () => {
    expect(await ask("entry_page", ["sessions", "visitors", "page_views", "events", "orders"])).toEqual({
      values: { "/a": [2, 2, 2, 3, 1], "/landing": [1, 1, 2, 2, 0], "": [1, 1, 0, 1, 0] },
      totals: [4, 3, 4, 6, 1],
    });
  });

  test("or where it left, also behind the range; the order of metrics changes nothing but the order", async () => {
    const values = { "/a": [2, 1], "/b": [2, 1], "/thanks": [1, 1], "": [1, 1] };
    expect(await ask("exit_page", ["events", "sessions"])).toEqual({ values, totals: [6, 4] });
    const swapped = Object.fromEntries(
      Object.entries(values).map(([value, counts]) => [value, counts.toReversed()]),
    );
    expect(await ask("exit_page", ["sessions", "events"])).toEqual({ values: swapped, totals: [4, 6] });
  });

  test("bots' sessions are there when they are asked for", async () => {
    const { values } = await ask("entry_page", ["sessions"], true);
    expect(values["/bot"]).toEqual([1]);
  });
});

describe("what brought a visit", () => {
  const visits: readonly Stored[] = [
    // By a search, before midnight; a newsletter that is opened meanwhile does not take it over.
    { at: "2025-03-28T23:59Z", session: 21, from: "Search" },
    { at: "00:05", session: 21 },
    { at: "00:06", session: 21, from: "Email" },
    { at: "00:07", session: 21, name: "purchase", kind: 1, revenue: 70, converted: 70 },
    // Its first event came to nobody's notice where it came from.
    { at: "10:00", session: 22, visitor: 21 },
    { at: "10:01", session: 22, visitor: 21, from: "Email" },
    { at: "10:02", session: 22, visitor: 21, name: "refund", kind: 3, revenue: 20, converted: -20 },
    { at: "11:00", session: 23, name: "purchase", kind: 1, revenue: 5, converted: 5 },
    { at: "12:00", session: 24, bot: true, from: "Search" },
    { at: "12:01", session: 24 },
    { at: "13:00", session: 21, merchant: B, from: "Ads" },
  ];
  beforeAll(async () => {
    await database.pool.query("TRUNCATE events, items");
    await store(visits);
  });

  test.each(["channel", "source", "medium", "campaign"] as const)(
    "orders and all else count for the first %s of their visit",
    async (dimension) => {
      const key = (name: string) => (dimension === "channel" ? name : `${dimension} ${name}`);
      expect(await ask(dimension, ["events", "sessions", "visitors", "orders", "revenue"])).toEqual({
        values: {
          [key("Search")]: [3, 1, 1, 1, 70],
          [key("Email")]: [3, 1, 1, 0, -20],
          // What a bot came by is not its visit's.
          "": [2, 2, 2, 1, 5],
        },
        totals: [8, 4, 3, 2, 55],
      });
      // Sums alone too.
      expect((await ask(dimension, ["revenue", "orders"])).values).toEqual({
        [key("Search")]: [70, 1],
        "": [5, 1],
        [key("Email")]: [-20, 0],
      });
    },
  );

  test("of what came at the same time the values decide, so that no order of rows does", async () => {
    await database.pool.query("TRUNCATE events, items");
    await store([
      { at: "10:00", session: 25, from: "Search" },
      { at: "10:00", session: 25, from: "Email" },
    ]);
    expect((await ask("channel", ["events"])).values).toEqual({ Email: [2] });
  });
});

describe("items", () => {
  const shoe = { id: "shoe", brand: "Ajax", price: 30, quantity: 2 };
  const half = { ...shoe, quantity: 0.5 };
  const sock = { id: "sock", price: 5, quantity: 3 };
  const orders: readonly Stored[] = [
    { at: "12:00", session: 1, name: "purchase", kind: 1, revenue: 75, converted: 75, items: [shoe, sock] },
    // The thank-you page again, a refund of a quarter of the shoes, and what only might be bought.
    { at: "12:01", session: 1, name: "purchase", kind: 2, revenue: 75, converted: null, items: [shoe, sock] },
    { at: "12:02", session: 1, name: "refund", kind: 3, revenue: 15, converted: -15, items: [half] },
    { at: "12:02", session: 1, name: "refund", kind: 4, revenue: 15, converted: null, items: [half] },
    { at: "12:03", session: 1, name: "add_to_cart", items: [shoe] },
    // Converted at two to one, and not at all.
    {
      at: "13:00",
      session: 2,
      name: "purchase",
      kind: 1,
      currency: "USD",
      revenue: 40,
      converted: 20,
      items: [sock],
    },
    {
      at: "13:00",
      session: 2,
      name: "refund",
      kind: 3,
      currency: "USD",
      revenue: 10,
      converted: -5,
      items: [{ ...sock, quantity: 1 }],
    },
    {
      at: "13:01",
      session: 2,
      name: "purchase",
      kind: 1,
      currency: "XXX",
      revenue: 40,
      converted: null,
      items: [sock],
    },
    {
      at: "13:02",
      session: 2,
      name: "purchase",
      kind: 1,
      currency: "EUR",
      revenue: 0,
      converted: 0,
      items: [sock],
    },
    {
      at: "14:00",
      session: 3,
      name: "purchase",
      bot: true,
      kind: 1,
      revenue: 9,
      converted: 9,
      items: [shoe],
    },
    {
      at: "12:00",
      session: 1,
      merchant: B,
      name: "purchase",
      kind: 1,
      revenue: 9,
      converted: 9,
      items: [shoe],
    },
    {
      at: "2025-03-30T12:00Z",
      session: 1,
      name: "purchase",
      kind: 1,
      revenue: 9,
      converted: 9,
      items: [shoe],
    },
  ];
  beforeAll(async () => {
    await database.pool.query("TRUNCATE events, items");
    await store(orders);
  });

  test("those of orders count, each order once, less those of refunds, at their price in the merchant's currency", async () => {
    // Shoes: 60 - 15. Socks: 15 + 15 / 2 rounded + unknown + 15 - 5 / 2 rounded.
    expect(await ask("item_id", ["item_revenue", "item_quantity"])).toEqual({
      values: { shoe: [45, 1.5e6], sock: [35, 11e6] },
      totals: [80, 12.5e6],
    });
    expect(await ask("item_brand", ["item_quantity"])).toEqual({
      values: { "": [11e6], Ajax: [1.5e6] },
      totals: [12.5e6],
    });
    expect((await ask("item_id", ["item_quantity"], true)).values).toEqual({ sock: [11e6], shoe: [3.5e6] });
  });

  test("without metrics all of items are answered", async () => {
    expect((await ask("item_name", [])).values).toEqual({ "": [12.5e6, 80] });
  });

  test.each<[DimensionName, BreakdownMetric, string]>([
    ["item_id", "visitors", "which has item_quantity and item_revenue only"],
    ["page", "item_revenue", "which has no metrics of items"],
  ])("by %s %s is refused", async (dimension, metric, reason) => {
    await expect(ask(dimension, [metric])).rejects.toThrow(
      `metrics "${metric}" is not a metric of the dimension ${dimension}, ${reason}`,
    );
  });
});
