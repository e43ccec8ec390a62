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

const DAYS = 28;
const TIMES = 5;

const MONTH = `merchant_id = $1 AND ts >= '${at(DAYS)}' AND ts < '${at(0)}' AND NOT is_bot`;

/** Of one merchant over the sample. */
const QUERIES = {
  visitors: `SELECT date_trunc('day', ts, 'UTC'), count(DISTINCT visitor_id) FROM sample WHERE ${MONTH} GROUP BY 1`,
  events: `SELECT count(*) FROM sample WHERE ${MONTH}`,
  countries: `SELECT country, count(*) FROM sample WHERE ${MONTH} GROUP BY 1`,
  one_day: `SELECT count(*) FROM sample WHERE merchant_id = $1 AND ts >= '${at(4)}' AND ts < '${at(3)}' AND NOT is_bot`,
} as const;

function at(daysBefore: number): string {
  return new Date(END - daysBefore * 86_400_000).toISOString();
}

/** Bytes an event and ms of some queries of a merchant, by layout, on a copy of the last weeks of the data. */
export async function compareLayouts(pool: Pool, merchantId: number) {
  const found: Record<string, { bytesPerEvent: number; ms: Record<string, number> }> = {};
  for (const layout of LAYOUTS) {
    await pool.query("CREATE TABLE sample (LIKE events)");
    await pool.query(
      "SELECT create_hypertable('sample', by_range('ts', INTERVAL '7 days'), create_default_indexes => false)",
    );
    await pool.query(
      `ALTER TABLE sample SET (timescaledb.compress, timescaledb.compress_segmentby = '',
         timescaledb.compress_orderby = '${layout}')`,
    );
    const { rowCount } = await pool.query("INSERT INTO sample SELECT * FROM events WHERE ts >= $1", [
      at(DAYS),
    ]);
    await pool.query("SELECT compress_chunk(c) FROM show_chunks('sample') c");
    await pool.query("ANALYZE sample");
    const { rows } = await pool.query<{ bytes: string }>(
      "SELECT after_compression_total_bytes AS bytes FROM hypertable_columnstore_stats('sample')",
    );
    const ms: Record<string, number> = {};
    for (const [name, sql] of Object.entries(QUERIES)) ms[name] = await medianMs(pool, sql, merchantId);
    found[layout] = { bytesPerEvent: Number((Number(rows[0]!.bytes) / rowCount!).toFixed(1)), ms };
    await pool.query("DROP TABLE sample");
  }
  return found;
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
