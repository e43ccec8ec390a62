import type { Pool } from "../pool.ts";
import type { Erasure } from "./subject.ts";
import { EVENT_TABLES, MERCHANT_TABLES, VISITOR_TABLES } from "./tables.ts";

/** The chunks, and what the columnstore holds of them, that an erasure removed rows from: also of aggregates by visitor. */
const CHUNKS = `SELECT format('%I.%I', p.schema_name, p.table_name) AS relation
  FROM erasures e
  JOIN timescaledb_information.chunks i ON (i.hypertable_schema, i.hypertable_name) IN (
      VALUES ('public', 'events'), ('public', 'items')
      UNION ALL
      SELECT materialization_hypertable_schema, materialization_hypertable_name
      FROM timescaledb_information.continuous_aggregates WHERE view_name IN ('sessions_15m', 'visits_1d', 'sampled_visits_1d')
    )
    AND i.range_start <= e.last_time AND i.range_end > e.first_time
    AND (e.person_kind IS NULL
      OR EXISTS (SELECT FROM unnest(e.quarter_hours) q WHERE q >= i.range_start AND q < i.range_end))
  JOIN _timescaledb_catalog.chunk c ON c.schema_name = i.chunk_schema AND c.table_name = i.chunk_name
  JOIN _timescaledb_catalog.chunk p ON p.id IN (c.id, c.compressed_chunk_id)
  WHERE e.erasure_id = $1`;

/**
 * Frees the space of the rows that were removed: until then they are still in the files, where no query sees them. A
 * table that keeps its few dead rows under autovacuum's threshold would keep them for years. Locks nobody out.
 */
export async function vacuumAfter(pool: Pool, { erasureId, person }: Erasure): Promise<void> {
  const { rows } = await pool.query<{ relation: string }>(CHUNKS, [erasureId]);
  const others = person === undefined ? MERCHANT_TABLES : [...VISITOR_TABLES, "order_keys", "refund_keys"];
  const chunked: readonly string[] = EVENT_TABLES;
  const relations = [
    ...rows.map(({ relation }) => relation),
    ...others.filter((table) => !chunked.includes(table)),
    "erasures",
  ];
  for (const relation of relations) await pool.query(`VACUUM ${relation}`);
  await pool.query("UPDATE erasures SET vacuumed_at = now() WHERE erasure_id = $1", [erasureId]);
}
