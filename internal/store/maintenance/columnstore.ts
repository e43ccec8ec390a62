import { type Pool, transaction } from "../pool.ts";
import { isOfServer } from "../try-refresh.ts";

/** Bits of a chunk's status in TimescaleDB's catalogue: converted, and holding rows that came after that. */
const CONVERTED = 1;
const PARTIAL = 8;

/** The hypertables of raw rows. */
export const RAW_TABLES = ["events", "items"];

/** The hypertable of event ids. Its chunk of the epoch stays rows: retention deletes from it by received_at. */
const KEYS = "event_keys";

/** The chunks that ended before $2 and are not converted, or not wholly. */
const CONVERTIBLE = `FROM timescaledb_information.chunks i
     JOIN _timescaledb_catalog.chunk c ON c.schema_name = i.chunk_schema AND c.table_name = i.chunk_name
     WHERE (i.hypertable_name = ANY ($1)
       OR i.hypertable_name = $5 AND i.range_start > to_timestamp(0)
       OR (i.hypertable_schema, i.hypertable_name) IN (
         SELECT materialization_hypertable_schema, materialization_hypertable_name
         FROM timescaledb_information.continuous_aggregates WHERE compression_enabled
       )) AND i.range_end <= $2
       AND (c.status & $3 = 0 OR c.status & $4 <> 0)`;

const convertibleValues = (before: number) => [RAW_TABLES, new Date(before), CONVERTED, PARTIAL, KEYS];

/** How many chunks convertOld would convert. */
export async function countConvertible(pool: Pool, before: number): Promise<number> {
  const { rows } = await pool.query<{ chunks: number }>(
    `SELECT count(*)::integer AS chunks ${CONVERTIBLE}`,
    convertibleValues(before),
  );
  return rows[0]!.chunks;
}

/**
 * Whether a load of history has ended: there are chunks of raw rows that ended before a time (ms since 1970-01-01 UTC) and
 * were never converted, and of that time nothing is written or refreshed any more.
 */
export async function isLoaded(pool: Pool, before: number): Promise<boolean> {
  const { rows } = await pool.query<{ loaded: boolean }>(
    `SELECT EXISTS (SELECT FROM timescaledb_information.chunks
         WHERE hypertable_name = ANY ($1) AND range_end <= $2 AND NOT is_compressed)
       AND NOT EXISTS (SELECT FROM invalidations WHERE grain IN ('15m', '1d') AND start < $2) AS loaded`,
    [RAW_TABLES, new Date(before)],
  );
  return rows[0]!.loaded;
}

/**
 * Converts the chunks of raw rows and of event keys that ended before a time (ms since 1970-01-01 UTC), and those of
 * continuous aggregates that are made so, to the columnstore, oldest first, each in a transaction of its own; and again
 * those that late rows came to. A conversion locks out writers of its chunk, which only late events are: chunks should
 * be short enough to be converted within the aggregator's lock timeout.
 *
 * @returns how many were converted.
 * @throws what the first one failed of that could not be converted, when all others are.
 */
export async function convertOld(pool: Pool, before: number): Promise<number> {
  const { rows } = await pool.query<{ chunk: string; hypertable: string }>(
    `SELECT format('%I.%I', i.chunk_schema, i.chunk_name) AS chunk, i.hypertable_name AS hypertable
     ${CONVERTIBLE}
     ORDER BY i.hypertable_name = $5, i.range_start, i.hypertable_name`,
    convertibleValues(before),
  );
  const failures: unknown[] = [];
  for (const { chunk, hypertable } of rows) {
    await convert(pool, chunk, hypertable === KEYS).catch((error: unknown) => {
      if (isOfServer(error)) throw error;
      failures.push(new Error(`chunk ${chunk} of ${hypertable} was not converted`, { cause: error }));
    });
  }
  if (failures.length > 0) throw failures[0];
  return rows.length;
}

/**
 * A chunk whose ids must stay unique is locked from before its rows are read until the conversion is committed. Left to
 * itself TimescaleDB 2.22 lets writers in while it converts a chunk again, and gives up where they keep coming: a claim
 * that has looked among the packed rows before, and among the loose ones after, would find an id that moves in neither.
 */
function convert(pool: Pool, chunk: string, isUnique: boolean): Promise<void> {
  return transaction(pool, async (client) => {
    if (isUnique) await client.query(`LOCK TABLE ${chunk} IN EXCLUSIVE MODE`);
    await client.query("SELECT compress_chunk($1::regclass)", [chunk]);
  });
}
