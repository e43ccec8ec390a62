import { prepareForColumnstore } from "../decompression.ts";
import type { Pool } from "../pool.ts";
import { transactionInTries } from "./in-tries.ts";
import { countRemoved } from "./removals.ts";
import type { Erasure } from "./subject.ts";

interface Chunks {
  readonly relation: string;
  readonly name: string;
  readonly time?: string;
  readonly onlyConverted?: boolean;
}

/**
 * Removes all rows of a merchant from a hypertable whose chunks may be in the columnstore, such as the cells of an
 * aggregate, each chunk in a transaction of its own.
 * @param relation the table that the rows are in, as SQL names it with its schema.
 * @param name under which the rows are counted.
 * @param time the column that the chunks are made by.
 * @param onlyConverted leaves out chunks that are rows.
 */
export async function removeByChunks(
  pool: Pool,
  { erasureId, merchantId }: Erasure,
  { relation, name, time = "bucket", onlyConverted = false }: Chunks,
): Promise<void> {
  const { rows } = await pool.query<{ from: Date; to: Date }>(
    `SELECT range_start AS "from", range_end AS "to" FROM timescaledb_information.chunks
     WHERE format('%I.%I', hypertable_schema, hypertable_name) = $1 AND (is_compressed OR NOT $2)
     ORDER BY range_start`,
    [relation, onlyConverted],
  );
  for (const { from, to } of rows) {
    await transactionInTries(pool, async (client) => {
      await prepareForColumnstore(client);
      const { rowCount } = await client.query(
        `DELETE FROM ${relation} WHERE merchant_id = $1 AND ${time} >= $2 AND ${time} < $3`,
        [merchantId, from, to],
      );
      await countRemoved(client, erasureId, { [name]: rowCount ?? 0 });
    });
  }
}
