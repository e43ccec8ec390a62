import type { Pool } from "../pool.ts";

/** Bits of a chunk's status in TimescaleDB's catalogue: converted, and holding rows that came after that. */
const CONVERTED = 1;
const PARTIAL = 8;

/**
 * The hypertables whose chunks are converted, beside the continuous aggregates that are made so. event_keys and
 * sessions are looked up by key: they stay rows.
 */
export const RAW_TABLES = ["events", "items"];

/**
 * Converts the chunks that ended before a time (ms since 1970-01-01 UTC) to the columnstore, oldest first, each in a
 * transaction of its own; and again those that late rows came to. A conversion locks out writers of its chunk, which
 * only late events are: chunks should be short enough to be converted within the aggregator's lock timeout.
 *
 * @returns how many were converted.
 */
export async function convertOld(pool: Pool, before: number): Promise<number> {
  const { rows } = await pool.query<{ chunk: string }>(
    `SELECT format('%I.%I', i.chunk_schema, i.chunk_name) AS chunk
     FROM timescaledb_information.chunks i
     JOIN _timescaledb_catalog.chunk c ON c.schema_name = i.chunk_schema AND c.table_name = i.chunk_name
     WHERE (i.hypertable_name = ANY ($1) OR (i.hypertable_schema, i.hypertable_name) IN (
         SELECT materialization_hypertable_schema, materialization_hypertable_name
         FROM timescaledb_information.continuous_aggregates WHERE compression_enabled
       )) AND i.range_end <= $2
       AND (c.status & $3 = 0 OR c.status & $4 <> 0)
     ORDER BY i.range_start, i.hypertable_name`,
    [RAW_TABLES, new Date(before), CONVERTED, PARTIAL],
  );
  for (const { chunk } of rows) await pool.query("SELECT compress_chunk($1::regclass)", [chunk]);
  return rows.length;
}
