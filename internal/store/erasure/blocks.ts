import type { Pool } from "../pool.ts";
import { transactionInTries } from "./in-tries.ts";
import { countRemoved } from "./removals.ts";
import type { Erasure } from "./subject.ts";

/** Blocks of 8 KiB that one transaction looks through: 32 MiB, a moment's work. */
const STEP = 4_096;

/**
 * Removes all rows of a merchant from a table, a hypertable or not, but for chunks that are in the columnstore: block
 * after block, each few in a transaction of their own, since few such tables have an index that begins with the
 * merchant.
 * @param relation as SQL names it.
 * @param name under which the rows are counted.
 */
export async function removeByBlocks(
  pool: Pool,
  { erasureId, merchantId }: Erasure,
  { relation, name = relation }: { readonly relation: string; readonly name?: string },
): Promise<void> {
  for (const { part, blocks } of await partsOf(pool, relation)) {
    for (let block = 0; block < blocks; block += STEP) {
      await transactionInTries(pool, async (client) => {
        const { rowCount } = await client.query(
          `DELETE FROM ${part} WHERE ctid >= $2::tid AND ctid < $3::tid AND merchant_id = $1`,
          [merchantId, `(${block},0)`, `(${block + STEP},0)`],
        );
        await countRemoved(client, erasureId, { [name]: rowCount ?? 0 });
      });
    }
  }
}

interface Part {
  readonly part: string;
  readonly blocks: number;
}

/** A table's chunks that are rows, or the table itself. */
async function partsOf(pool: Pool, relation: string): Promise<Part[]> {
  const { rows } = await pool.query<Part>(
    `SELECT p.part::regclass::text AS part,
       ceil(pg_relation_size(p.part) / current_setting('block_size')::float8)::integer AS blocks
     FROM (
       SELECT $1::regclass::oid AS part
       UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::regclass
     ) p
     WHERE p.part NOT IN (SELECT format('%I.%I', chunk_schema, chunk_name)::regclass
       FROM timescaledb_information.chunks WHERE is_compressed)
     ORDER BY p.part`,
    [relation],
  );
  return rows;
}
