import { CONTINUOUS_AGGREGATES } from "../../internal/store/continuous-aggregates.ts";
import { tableSizes } from "../../internal/store/maintenance/sizes.ts";
import type { Pool } from "../../internal/store/pool.ts";

/** Bytes an event takes in one form. */
interface PerEvent {
  /** As rows: the table with what was moved out of line, and its index. */
  readonly rows: number;
  readonly index: number;
  /** In the columnstore, and the index of its segments. */
  readonly columnstore: number;
  readonly columnstoreIndex: number;
}

/** By table. What a chunk took as rows is what TimescaleDB noted at its first conversion. */
export async function bytesPerEvent(pool: Pool, events: number): Promise<Record<string, PerEvent>> {
  const { rows } = await pool.query<
    Record<"name" | "rows" | "before" | "index" | "after" | "segments", string>
  >(
    `SELECT h.table_name AS name, sum(numrows_pre_compression) AS rows,
       sum(uncompressed_heap_size + uncompressed_toast_size) AS before, sum(uncompressed_index_size) AS index,
       sum(pg_table_size(relation)) AS after, sum(pg_indexes_size(relation)) AS segments
     FROM _timescaledb_catalog.compression_chunk_size s
     JOIN _timescaledb_catalog.chunk c ON c.id = s.chunk_id
     JOIN _timescaledb_catalog.hypertable h ON h.id = c.hypertable_id
     JOIN _timescaledb_catalog.chunk cc ON cc.id = s.compressed_chunk_id
     CROSS JOIN LATERAL (SELECT format('%I.%I', cc.schema_name, cc.table_name)::regclass AS relation) r
     WHERE h.table_name IN ('events', 'items', 'event_keys') GROUP BY 1`,
  );
  const found = await Promise.all(
    rows.map(async ({ name, rows: converted, before, index, after, segments }) => {
      const counted = await pool.query<{ n: string }>(`SELECT count(*) AS n FROM ${name}`);
      const share = Number(counted.rows[0]!.n) / events;
      const asRow = (bytes: string) => tenth((Number(bytes) / Number(converted)) * share);
      const inColumns = (bytes: string) => tenth(Number(bytes) / events);
      return [
        name,
        {
          rows: asRow(before),
          index: asRow(index),
          columnstore: inColumns(after),
          columnstoreIndex: inColumns(segments),
        },
      ] as const;
    }),
  );
  return Object.fromEntries(found);
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
  const { rows: chunks } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', cc.schema_name, cc.table_name) AS name
     FROM _timescaledb_catalog.chunk c
     JOIN _timescaledb_catalog.hypertable h ON h.id = c.hypertable_id AND h.table_name = 'events'
     JOIN _timescaledb_catalog.chunk cc ON cc.id = c.compressed_chunk_id
     ORDER BY c.id DESC LIMIT 10`,
  );
  const bytes = new Map<string, number>();
  for (const { name } of chunks) {
    const { rows } = await pool.query<{ column: string; size: string | null }>(
      `SELECT "column", sum(size) AS size FROM ${name} c
       CROSS JOIN LATERAL (${await columnSizes(pool, name)}) AS each ("column", size) GROUP BY 1`,
    );
    for (const { column, size } of rows) bytes.set(column, (bytes.get(column) ?? 0) + Number(size));
  }
  const events = bytes.get("events")!;
  const each = [...bytes].map(([column, size]) => [column, tenth(size / events)] as const);
  const seen = each.filter(([column, size]) => column !== "events" && size > 0);
  return Object.fromEntries(seen.sort(([, a], [, b]) => b - a));
}

/** What each column of a segment takes, and how many events are in it. */
async function columnSizes(pool: Pool, chunk: string): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
    [chunk],
  );
  const sizes = rows.map(({ name }) => `('${name}', pg_column_size(c."${name}"))`);
  return `VALUES ('events', c._ts_meta_count), ${sizes.join(", ")}`;
}

function tenth(value: number): number {
  return Number(value.toFixed(1));
}
