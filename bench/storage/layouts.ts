import type { Pool } from "../../internal/store/pool.ts";
import { median } from "../lib/result.ts";
import { END } from "./load.ts";

/** Ways to order the rows of `events` in the columnstore; the first is the product's. */
const LAYOUTS = [
  "merchant_id, ts",
  "merchant_id, session_id, ts",
  "merchant_id, visitor_id, ts",
  "merchant_id, name, ts",
] as const;

/** The sample: the last four weeks, or as many of their last hours as have about so many events. */
const LONGEST_HOURS = 28 * 24;
const SAMPLE_EVENTS = 1_000_000;

/** A short span is this part of the sample: a day of four weeks. */
const PARTS = 28;

const HOUR_MS = 3_600_000;
const TIMES = 5;

const OF_MERCHANT = "FROM sample WHERE merchant_id = $1 AND NOT is_bot";

/** Of one merchant over the sample. */
function queriesOf(hours: number) {
  const short = `ts >= '${before((hours * 4) / PARTS)}' AND ts < '${before((hours * 3) / PARTS)}'`;
  return {
    visitors: `SELECT date_trunc('day', ts, 'UTC'), count(DISTINCT visitor_id) ${OF_MERCHANT} GROUP BY 1`,
    events: `SELECT count(*) ${OF_MERCHANT}`,
    countries: `SELECT country, count(*) ${OF_MERCHANT} GROUP BY 1`,
    one_28th: `SELECT count(*) ${OF_MERCHANT} AND ${short}`,
  };
}

function before(hours: number): string {
  return new Date(END - hours * HOUR_MS).toISOString();
}

export interface LayoutOptions {
  readonly merchantId: number;
  /** Of all merchants. */
  readonly eventsPerDay: number;
  readonly chunkDays: number;
}

/** Bytes an event and ms of some queries of a merchant, by layout, on a copy of the end of the data. */
export async function compareLayouts(pool: Pool, options: LayoutOptions) {
  const { merchantId, eventsPerDay, chunkDays } = options;
  const most = Math.floor((SAMPLE_EVENTS / eventsPerDay) * 24);
  const hours = Math.max(1, Math.min(most, LONGEST_HOURS));
  const found: Record<string, { bytesPerEvent: number; ms: Record<string, number> }> = {};
  for (const layout of LAYOUTS) {
    const bytesPerEvent = await makeSample(pool, layout, hours, chunkDays);
    const ms: Record<string, number> = {};
    for (const [name, sql] of Object.entries(queriesOf(hours))) {
      ms[name] = await medianMs(pool, sql, merchantId);
    }
    found[layout] = { bytesPerEvent, ms };
    await pool.query("DROP TABLE sample");
  }
  return { hours, ...found };
}

/** @returns bytes an event. */
async function makeSample(pool: Pool, layout: string, hours: number, chunkDays: number): Promise<number> {
  await pool.query("DROP TABLE IF EXISTS sample");
  await pool.query("CREATE TABLE sample (LIKE events)");
  await pool.query(
    `SELECT create_hypertable('sample', by_range('ts', INTERVAL '${chunkDays} days'), create_default_indexes => false)`,
  );
  await pool.query(
    `ALTER TABLE sample SET (timescaledb.compress, timescaledb.compress_segmentby = '',
       timescaledb.compress_orderby = '${layout}')`,
  );
  const { rowCount } = await pool.query("INSERT INTO sample SELECT * FROM events WHERE ts >= $1", [
    before(hours),
  ]);
  await pool.query("SELECT compress_chunk(c) FROM show_chunks('sample') c");
  await pool.query("ANALYZE sample");
  const { rows } = await pool.query<{ bytes: string }>(
    "SELECT after_compression_total_bytes AS bytes FROM hypertable_columnstore_stats('sample')",
  );
  return Number((Number(rows[0]!.bytes) / rowCount!).toFixed(1));
}

async function medianMs(pool: Pool, sql: string, merchantId: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i <= TIMES; i++) {
    const start = performance.now();
    await pool.query(sql, [merchantId]);
    times.push(performance.now() - start);
  }
  return Number(median(times.slice(1)).toFixed(1));
}
