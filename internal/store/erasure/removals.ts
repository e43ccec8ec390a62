import type { Client } from "../pool.ts";

/** Counts rows that were removed from tables, in the transaction that removes them. */
export async function countRemoved(
  client: Client,
  erasureId: number,
  removed: Readonly<Record<string, number>>,
): Promise<void> {
  const tables = Object.entries(removed).filter(([, rows]) => rows > 0);
  if (tables.length === 0) return;
  await client.query(
    `INSERT INTO erasure_removals (erasure_id, table_name, rows)
     SELECT $1, name, rows FROM unnest($2::text[], $3::bigint[]) AS r (name, rows)
     ON CONFLICT (erasure_id, table_name) DO UPDATE SET rows = erasure_removals.rows + excluded.rows`,
    [erasureId, tables.map(([table]) => table), tables.map(([, rows]) => rows)],
  );
}
