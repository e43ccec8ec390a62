import { TOTALS } from "./continuous-aggregates.ts";
import { NO_BITMAPS } from "./decompression.ts";
import { type Client, onConnection, type Pool } from "./pool.ts";

/**
 * Computes continuous aggregates anew over a span, one after another. Forced: what was written to is known here, so that
 * nothing rests on TimescaleDB's own log of it, which releases have missed entries of (timescaledb issues 8800, 10221,
 * 10296). It costs nothing more: the buckets of a span are all stale.
 * @param names each after those that it is built on.
 * @param from first and @param to last time, excluded, as PostgreSQL reads them.
 */
export async function forceRefresh(
  pool: Pool,
  names: readonly string[],
  from: string,
  to: string,
): Promise<void> {
  await onConnection(pool, async (client) => {
    for (const name of names) await refresh(client, name, from, to);
  });
}

/** Of what a refresh sorts or gathers, this much stays in memory: it is one statement at a time of one connection. */
const MEMORY = "work_mem = '64MB'";

/**
 * The planner expects few rows of a refresh's span, and sorts them, on disk when they are many. Cells are far fewer than
 * events: a hash table of them takes a quarter less.
 */
const NO_SORT = "enable_sort = off; SET enable_incremental_sort = off";

const RESET = "RESET work_mem; RESET enable_sort; RESET enable_incremental_sort; RESET enable_bitmapscan";

/** The totals are never in the columnstore, and read new events by an index that serves bitmaps alone. */
async function refresh(client: Client, name: string, from: string, to: string): Promise<void> {
  await client.query(`SET ${MEMORY}; SET ${name === TOTALS ? NO_SORT : NO_BITMAPS}`);
  try {
    await client.query(`CALL refresh_continuous_aggregate('${name}', '${from}', '${to}', force => true)`);
  } finally {
    // The connection is used again after a refresh that failed, unless it is lost.
    await client.query(RESET).catch(() => {});
  }
}
