import { type Pool, transaction } from "../pool.ts";
import { RAW_TABLES } from "./columnstore.ts";

/**
 * Sets how many days of event time a chunk of raw rows spans; 1 or more. Chunks that are there stay as they are: it is
 * for those that are made from now on, and one that begins beside an old chunk ends where that does.
 */
export async function setChunkDays(pool: Pool, days: number): Promise<void> {
  await transaction(pool, async (client) => {
    for (const table of RAW_TABLES) {
      await client.query("SELECT set_chunk_time_interval($1::regclass, make_interval(days => $2))", [
        table,
        days,
      ]);
    }
  });
}

/** How many days a new chunk of events spans. */
export async function chunkDays(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ days: number }>(
    `SELECT extract(epoch FROM time_interval)::float8 / 86400 AS days FROM timescaledb_information.dimensions
     WHERE hypertable_name = 'events' AND dimension_number = 1`,
  );
  return rows[0]!.days;
}
