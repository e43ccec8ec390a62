import { tableSizes } from "../../internal/store/maintenance/sizes.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { CONTINUOUS_AGGREGATES } from "../../internal/store/refresh.ts";

/** Bytes an event takes in one form. */
interface PerEvent {
  /** As rows: the table with what was moved out of line, and its index. */
  readonly rows: number;
  readonly index: number;
  /** In the columnstore, and the index of its segments. */
  readonly columnstore: number;
  readonly columnstoreIndex: number;
}

/** What a chunk took before and after its conversion is kept by TimescaleDB itself. */
export async function bytesPerEvent(pool: Pool, events: number): Promise<Record<string, PerEvent>> {
  const { rows } = await pool.query<{
    name: string;
    before: string;
    index: string;
    after: string;
    segments: string;
  }>(
    `SELECT h.table_name AS name, sum(uncompressed_heap_size + uncompressed_toast_size) AS before,
       sum(uncompressed_index_size) AS index, sum(compressed_heap_size + compressed_toast_size) AS after,
       sum(compressed_index_size) AS segments
     FROM _timescaledb_catalog.compression_chunk_size s
     JOIN _timescaledb_catalog.chunk c ON c.id = s.chunk_id
     JOIN _timescaledb_catalog.hypertable h ON h.id = c.hypertable_id
     WHERE h.table_name IN ('events', 'items') GROUP BY 1`,
  );
  const each = (bytes: string) => tenth(Number(bytes) / events);
  return Object.fromEntries(
    rows.map(({ name, before, index, after, segments }) => [
      name,
      { rows: each(before), index: each(index), columnstore: each(after), columnstoreIndex: each(segments) },
    ]),
  );
}

/** The books: bytes an event of keys, ledger lines and sessions, indexes included. */
export async function bookBytes(pool: Pool, events: number): Promise<Record<string, number>> {
  const sizes = await tableSizes(pool);
  const books = sizes.filter(({ table }) =>
    ["event_keys", "batch_ledger", "visitor_sessions"].includes(table),
  );
  const { rows } = await pool.query<{ bytes: string }>(
    "SELECT pg_total_relation_size('order_keys') AS bytes",
  );
  const all = [...books, { table: "order_keys", bytes: Number(rows[0]!.bytes) }];
  return Object.fromEntries(all.map(({ table, bytes }) => [table, tenth(bytes / events)]));
}

/** By continuous aggregate: its rows, what one takes, and how many there are for each event. */
export async function aggregateBytes(pool: Pool, events: number) {
  const sizes = new Map((await tableSizes(pool)).map((size) => [size.table, size]));
  const found: Record<string, { rows: number; bytesPerRow: number; bytesPerEvent: number }> = {};
  for (const name of CONTINUOUS_AGGREGATES) {
    const { rows } = await pool.query<{ n: string }>(`SELECT count(*) AS n FROM ${name}`);
    const { bytes } = sizes.get(name)!;
    const count = Number(rows[0]!.n);
    found[name] = { rows: count, bytesPerRow: tenth(bytes / count), bytesPerEvent: tenth(bytes / events) };
  }
  return found;
}

/** Bytes an event of each column of `events` in the columnstore, largest first; of the ten newest chunks. */
export async function columnBytes(pool: Pool): Promise<Record<string, number>> {
  const { rows: chunks } = await pool.query<{ name: string; events: string }>(
    `SELECT format('%I.%I', cc.schema_name, cc.table_name) AS name, s.numrows_pre_compression AS events
     FROM _timescaledb_catalog.chunk c
     JOIN _timescaledb_catalog.hypertable h ON h.id = c.hypertable_id AND h.table_name = 'events'
     JOIN _timescaledb_catalog.chunk cc ON cc.id = c.compressed_chunk_id
     JOIN _timescaledb_catalog.compression_chunk_size s ON s.chunk_id = c.id
     ORDER BY c.id DESC LIMIT 10`,
  );
  const bytes = new Map<string, number>();
  for (const { name } of chunks) {
    const { rows } = await pool.query<{ sizes: Record<string, number> }>(
      `SELECT json_object_agg(key, size) AS sizes FROM (
         SELECT key, sum(size) AS size FROM ${name} c
         CROSS JOIN LATERAL (${await columnSizes(pool, name)}) AS each (key, size) GROUP BY key
       ) sums`,
    );
    for (const [column, size] of Object.entries(rows[0]!.sizes)) {
      bytes.set(column, (bytes.get(column) ?? 0) + (size ?? 0));
    }
  }
  const events = chunks.reduce((sum, chunk) => sum + Number(chunk.events), 0);
  const sorted = [...bytes]
    .sort(([, a], [, b]) => b - a)
    .map(([column, size]) => [column, size / events] as const);
  return Object.fromEntries(
    sorted.filter(([, size]) => size >= 0.05).map(([column, size]) => [column, tenth(size)]),
  );
}

async function columnSizes(pool: Pool, chunk: string): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
    [chunk],
  );
  return `VALUES ${rows.map(({ name }) => `('${name}', pg_column_size(c."${name}"))`).join(", ")}`;
}

function tenth(value: number): number {
  return Number(value.toFixed(1));
}
