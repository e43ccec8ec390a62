import { forceRefresh } from "../../internal/store/force-refresh.ts";
import type { Pool } from "../../internal/store/pool.ts";
import type { Database } from "../lib/database.ts";
import { END } from "../storage/load.ts";
import { Upkeep } from "../storage/upkeep.ts";

const DAY_MS = 86_400_000;
/** The month that is loaded, and how often it is copied. */
const MONTH_MS = 30 * DAY_MS;
const COPIES = 11;

/** Columns that a copy has of its own; all else is as in the month. */
const OWN = (copy: number): Readonly<Record<string, string>> => ({
  ts: `ts - INTERVAL '${copy * 30} days'`,
  received_at: `received_at - INTERVAL '${copy * 30} days'`,
  session_id: `hashint8extended(session_id, ${copy})`,
  // Half of the visitors came in that month alone. What a hash makes of a hash is in a sample as likely.
  visitor_id: `CASE WHEN visitor_id & 4096 = 0 THEN visitor_id ELSE hashint8extended(visitor_id, ${copy}) END`,
});

const VISITORS = `
INSERT INTO visitors AS v (merchant_id, visitor_id, people_first_time, bots_first_time, seen_month)
SELECT merchant_id, visitor_id, min(ts) FILTER (WHERE NOT is_bot), min(ts) FILTER (WHERE is_bot),
  date_trunc('month', max(ts), 'UTC')::date
FROM events WHERE merchant_id = $1 AND ts >= $2 AND ts < $3
GROUP BY 1, 2
ON CONFLICT (merchant_id, visitor_id) DO UPDATE SET
  people_first_time = least(v.people_first_time, excluded.people_first_time),
  bots_first_time = least(v.bots_first_time, excluded.bots_first_time)`;

/**
 * Gives a merchant a year: the eleven months before the one that is loaded are copies of it, in rows, aggregates, samples
 * and visitors. So an event costs half as much as one that goes through the steps. Ids of events are those of the month,
 * and no dedup keys are written: reports read neither. Aggregates are refreshed and chunks converted beside it.
 */
export async function loadYear(database: Database, merchantId: number, say: (text: string) => void) {
  const { pool } = database;
  const upkeep = new Upkeep(database, 1);
  const started = performance.now();
  try {
    await upkeep.reached(END - (COPIES + 1) * MONTH_MS);
    for (let copy = COPIES; copy >= 1; copy--) {
      const start = END - (copy + 1) * MONTH_MS;
      const rows = await copyMonth(pool, merchantId, copy, start);
      await upkeep.reached(start + MONTH_MS);
      say(`${rows} events of the month ${copy} months before, ${seconds(started)} s`);
    }
    await upkeep.settled();
    // Of the longer buckets one began before the month and ends within it.
    await forceRefresh(pool, ["pages_7d", "pages_28d"], iso(END - 3 * MONTH_MS), iso(END + MONTH_MS));
    await pool.query("VACUUM ANALYZE");
    say(`a year of merchant ${merchantId}: ${seconds(started)} s`);
  } finally {
    await upkeep.close();
  }
}

/** Whether the year is there. */
export async function hasYear(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ first: Date }>("SELECT min(bucket) AS first FROM totals_15m");
  return rows[0]!.first.getTime() < END - 2 * MONTH_MS;
}

/** @returns how many events. */
async function copyMonth(pool: Pool, merchantId: number, copy: number, start: number): Promise<number> {
  const from = [merchantId, iso(END - MONTH_MS), iso(END)];
  const { rowCount } = await pool.query(await copySql(pool, "events", copy), from);
  await pool.query(await copySql(pool, "items", copy), from);
  await pool.query(VISITORS, [merchantId, iso(start), iso(start + MONTH_MS)]);
  return rowCount ?? 0;
}

async function copySql(pool: Pool, name: "events" | "items", copy: number): Promise<string> {
  const { rows } = await pool.query<{ column_name: string }>(
    "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1",
    [name],
  );
  const columns = rows.map(({ column_name }) => column_name);
  const own = OWN(copy);
  const values = columns.map((column) => own[column] ?? column);
  return `INSERT INTO ${name} (${columns.join(", ")}) SELECT ${values.join(", ")} FROM ${name}
    WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 ORDER BY ts`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 1_000);
}
