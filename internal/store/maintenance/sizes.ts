import type { Pool } from "../pool.ts";
import { RAW_TABLES } from "./columnstore.ts";

/** What a hypertable takes on disk. */
export interface TableSize {
  readonly table: string;
  readonly chunks: number;
  /** Chunks in the columnstore. */
  readonly converted: number;
  /** Estimated by the statistics of the last ANALYZE, and what the columnstore knows. */
  readonly rows: number;
  readonly bytes: number;
  readonly indexBytes: number;
  readonly oldest: Date | undefined;
}

/** The sizes of all hypertables, continuous aggregates under their own names, largest first. */
export async function tableSizes(pool: Pool): Promise<TableSize[]> {
  // The information views leave out what continuous aggregates are kept in; 2 marks the columnstore's own tables.
  const { rows } = await pool.query<{
    name: string;
    chunks: number;
    converted: number;
    rows: string;
    bytes: string;
    index_bytes: string;
    oldest: Date | null;
  }>(
    `SELECT coalesce(a.view_name, h.table_name) AS name, count(c.chunk_name)::integer AS chunks,
       count(*) FILTER (WHERE c.is_compressed)::integer AS converted,
       approximate_row_count(h.relation) AS rows, s.total_bytes AS bytes, s.index_bytes, min(c.range_start) AS oldest
     FROM (SELECT *, format('%I.%I', schema_name, table_name)::regclass AS relation
           FROM _timescaledb_catalog.hypertable WHERE compression_state <> 2) h
     LEFT JOIN timescaledb_information.continuous_aggregates a
       ON a.materialization_hypertable_schema = h.schema_name
       AND a.materialization_hypertable_name = h.table_name
     LEFT JOIN timescaledb_information.chunks c
       ON c.hypertable_schema = h.schema_name AND c.hypertable_name = h.table_name
     CROSS JOIN LATERAL hypertable_detailed_size(h.relation) s
     GROUP BY 1, h.relation, s.total_bytes, s.index_bytes
     ORDER BY s.total_bytes DESC`,
  );
  return rows.map(({ name, index_bytes, oldest, ...row }) => ({
    table: name,
    chunks: row.chunks,
    converted: row.converted,
    rows: Number(row.rows),
    bytes: Number(row.bytes),
    indexBytes: Number(index_bytes),
    oldest: oldest ?? undefined,
  }));
}

/** What one chunk of raw rows takes on disk, indexes and the columnstore included. */
export interface ChunkSize {
  readonly table: string;
  /** Event time, [from, to). */
  readonly from: Date;
  readonly to: Date;
  readonly bytes: number;
  readonly isConverted: boolean;
}

/** The sizes of all chunks of raw rows, newest first. */
export async function chunkSizes(pool: Pool): Promise<ChunkSize[]> {
  const { rows } = await pool.query<ChunkSize & { bytes: string }>(
    `SELECT c.hypertable_name AS table, c.range_start AS "from", c.range_end AS "to", s.total_bytes AS bytes,
       c.is_compressed AS "isConverted"
     FROM unnest($1::text[]) AS t (name)
     CROSS JOIN LATERAL chunks_detailed_size(t.name::regclass) s
     JOIN timescaledb_information.chunks c USING (chunk_schema, chunk_name)
     ORDER BY c.range_start DESC, 1`,
    [RAW_TABLES],
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}
