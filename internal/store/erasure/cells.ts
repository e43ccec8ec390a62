import { CONTINUOUS_AGGREGATES } from "../continuous-aggregates.ts";
import type { Pool } from "../pool.ts";
import { removeByBlocks } from "./blocks.ts";
import { removeByChunks } from "./chunks.ts";
import { transactionInTries } from "./in-tries.ts";
import type { Erasure } from "./subject.ts";

/**
 * Removes a merchant from the continuous aggregates, after its rows. A refresh would work over all other merchants'
 * quarter hours of all years too, and would miss those whose rows retention has dropped.
 *
 * A refresh that is under way may have read the rows before they went. It writes under a lock of the aggregate's
 * table: once that is free, every later refresh reads what is left.
 */
export async function removeCells(pool: Pool, erasure: Erasure): Promise<void> {
  for (const aggregate of CONTINUOUS_AGGREGATES) {
    const { relation, isConverted } = await tableOf(pool, aggregate);
    await transactionInTries(pool, async (client) => {
      await client.query("SET LOCAL lock_timeout = 0");
      await client.query(`LOCK TABLE ${relation} IN SHARE ROW EXCLUSIVE MODE`);
    });
    const remove = isConverted ? removeByChunks : removeByBlocks;
    await remove(pool, erasure, { relation, name: aggregate });
  }
}

interface CellsTable {
  /** As SQL names it. */
  readonly relation: string;
  /** Whether its chunks go to the columnstore. */
  readonly isConverted: boolean;
}

/** The table that an aggregate's rows are in. */
async function tableOf(pool: Pool, aggregate: string): Promise<CellsTable> {
  const { rows } = await pool.query<CellsTable>(
    `SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS relation,
       compression_enabled AS "isConverted"
     FROM timescaledb_information.continuous_aggregates WHERE view_name = $1`,
    [aggregate],
  );
  return rows[0]!;
}
