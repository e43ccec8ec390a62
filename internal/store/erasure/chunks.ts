import type { Pool } from "../pool.ts";
import { patiently } from "./patiently.ts";
import { countRemoved } from "./removals.ts";
import { prepareForColumnstore } from "./rows.ts";
import type { Erasure } from "./subject.ts";

/**
 * Removes all cells of a merchant from an aggregate whose chunks may be in the columnstore, each chunk in a transaction
 * of its own.
 * @param relation the table that the cells are in, as SQL names it.
 * @param name of the aggregate, under which the cells are counted.
 */
export async function removeByChunks(
  pool: Pool,
  { erasureId, merchantId }: Erasure,
  { relation, name }: { readonly relation: string; readonly name: string },
): Promise<void> {
  const { rows } = await pool.query<{ from: Date; to: Date }>(
    `SELECT range_start AS "from", range_end AS "to" FROM timescaledb_information.chunks
     WHERE format('%I.%I', hypertable_schema, hypertable_name) = $1 ORDER BY range_start`,
    [relation],
  );
  for (const { from, to } of rows) {
    await patiently(pool, async (client) => {
      await prepareForColumnstore(client);
      const { rowCount } = await client.query(
        `DELETE FROM ${relation} WHERE merchant_id = $1 AND bucket >= $2 AND bucket < $3`,
        [merchantId, from, to],
      );
      await countRemoved(client, erasureId, { [name]: rowCount ?? 0 });
    });
  }
}
