import { type Pool, transaction } from "../pool.ts";
import { RAW_TABLES } from "./columnstore.ts";

/**
 * A chunk of event keys spans four times as many days as one of events: its conversion takes a sixth of the time an
 * event does. No fewer than 7 days, as each chunk costs a lock of a transaction that meets its ids; no more than 90.
 */
const KEYS = { times: 4, least: 7, most: 90 };

/**
 * Sets how many days of event time a chunk of raw rows spans, 1 or more, and with it those of event keys. Chunks that
 * are there stay as they are: it is for those that are made from now on, and one that begins beside an old chunk ends
 * where that does.
 */
export async function setChunkDays(pool: Pool, days: number): Promise<void> {
  await transaction(pool, async (client) => {
    const keyDays = Math.min(Math.max(days * KEYS.times, KEYS.least), KEYS.most);
    for (const [table, span] of [...RAW_TABLES.map((raw) => [raw, days]), ["event_keys", keyDays]]) {
      await client.query("SELECT set_chunk_time_interval($1::regclass, make_interval(days => $2))", [
        table,
        span,
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
