import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "../../../test/kit/database.ts";
import type { Question } from "../question/question.ts";
import { DIMENSIONS } from "../schema/dimensions.ts";
import { METRICS } from "../schema/metrics.ts";
import { eventsWithin } from "./generate/events.ts";
import { evaluate } from "./naive/evaluate.ts";
import type { StoredEvent } from "./naive/event.ts";
import { storeEvents } from "./store-events.ts";

const START = Date.UTC(2025, 2, 3);
const DAY_MS = 86_400_000;
const SPAN = { start: START + 2 * DAY_MS, end: START + 9.5 * DAY_MS };

let database: TestDatabase;
let events: StoredEvent[];
beforeAll(async () => {
  database = await openTestDatabase(4);
  const where = { merchants: [1, 2], from: START, to: START + 12 * DAY_MS, sessions: 300 };
  [events] = fc.sample(eventsWithin(where), { numRuns: 1, seed: 18 }) as [StoredEvent[]];
  await storeEvents(database.pool, events, new Map());
});
afterAll(() => database?.close());

const question = (metrics: readonly string[], dimensions: readonly string[]): Question => ({
  merchant: { merchantId: 1, partitionId: 0, timeZone: "UTC", currency: "EUR" },
  timeZone: "Australia/Lord_Howe",
  traffic: "people",
  accuracy: "exact",
  identity: "visitor",
  spans: [SPAN],
  metrics: metrics.map((name) => METRICS.find((metric) => metric.name === name)!),
  dimensions: dimensions.map((name) => DIMENSIONS.find((dimension) => dimension.name === name)!),
  orderBy: dimensions.map((_, dimension) => ({ by: { dimension }, ascending: true, byChange: false })),
  includeEmpty: true,
  offset: 0,
  limit: 10_000,
});

/** Rows by the naive evaluation, and by PostgreSQL: two independent counts of the same events. */
const both = async (metrics: readonly string[], dimensions: readonly string[], sql: string) => {
  const { rows } = evaluate(events, question(metrics, dimensions));
  const { rows: counted } = await database.pool.query({
    text: sql,
    values: [new Date(SPAN.start), new Date(SPAN.end)],
    rowMode: "array",
  });
  const naive = rows.map((row) => [...row.dimensions, ...row.metrics.flat()].map(String));
  return { naive, sql: counted.map((row: unknown[]) => row.map(String)) };
};

const WITHIN = "merchant_id = 1 AND NOT is_bot AND ts >= $1 AND ts < $2";

test.each<[string, readonly string[], readonly string[], string]>([
  [
    "pages, in the order of code points",
    ["events", "visitors", "sessions", "orders", "revenue", "unconverted_orders"],
    ["page"],
    `SELECT nullif(page, '') COLLATE "C" AS page, count(*), count(DISTINCT visitor_id), count(DISTINCT session_id),
       count(*) FILTER (WHERE order_kind = 1), coalesce(sum(revenue_micros), 0),
       count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL)
     FROM events WHERE ${WITHIN} GROUP BY 1 ORDER BY 1`,
  ],
  [
    "hours and weekdays where the clock changes by half an hour",
    ["page_views"],
    ["weekday", "hour"],
    `SELECT extract(isodow FROM ts AT TIME ZONE 'Australia/Lord_Howe')::integer,
       extract(hour FROM ts AT TIME ZONE 'Australia/Lord_Howe')::integer, count(*) FILTER (WHERE name = 'page_view')
     FROM events WHERE ${WITHIN} GROUP BY 1, 2 ORDER BY 1, 2`,
  ],
  [
    "sessions by what brought them and where they entered, also before the span",
    ["sessions"],
    ["channel", "entry_page"],
    `WITH whole AS (
       SELECT session_id, (array_agg(channel ORDER BY ts) FILTER (WHERE channel IS NOT NULL))[1] AS channel,
         (array_agg(page ORDER BY ts) FILTER (WHERE name = 'page_view'))[1] AS page
       FROM events WHERE merchant_id = 1 AND NOT is_bot GROUP BY 1
     )
     SELECT w.channel COLLATE "C" AS channel, nullif(w.page, '') COLLATE "C" AS page, count(DISTINCT session_id)
     FROM events JOIN whole w USING (session_id) WHERE ${WITHIN} GROUP BY 1, 2 ORDER BY 1, 2`,
  ],
  [
    "new visitors, bounces and entrances",
    ["new_visitors", "bounces", "entrances", "exits"],
    [],
    `WITH whole AS (
       SELECT session_id, count(*) FILTER (WHERE name = 'page_view') AS views,
         count(*) FILTER (WHERE is_passive IS NOT TRUE) AS active,
         min(ts) FILTER (WHERE name = 'page_view') AS entry, max(ts) FILTER (WHERE name = 'page_view') AS exit
       FROM events WHERE merchant_id = 1 AND NOT is_bot GROUP BY 1
     ), first AS (SELECT visitor_id, min(ts) AS first FROM events WHERE merchant_id = 1 AND NOT is_bot GROUP BY 1)
     SELECT count(DISTINCT visitor_id) FILTER (WHERE first >= $1),
       count(DISTINCT session_id) FILTER (WHERE views <= 1 AND active <= 1),
       count(*) FILTER (WHERE name = 'page_view' AND ts = entry),
       count(*) FILTER (WHERE name = 'page_view' AND ts = exit)
     FROM events JOIN whole USING (session_id) JOIN first USING (visitor_id) WHERE ${WITHIN}`,
  ],
])("%s", async (_, metrics, dimensions, sql) => {
  const counts = await both(metrics, dimensions, sql);
  expect(counts.naive.length).toBeGreaterThan(0);
  expect(counts.naive).toEqual(counts.sql);
});
