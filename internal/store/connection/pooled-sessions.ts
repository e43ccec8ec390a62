import { randomUUID } from "node:crypto";
import { ConfigError } from "../../config/config-error.ts";
import type { Client, Pool } from "../pool.ts";

/**
 * Refuses a pooler that gives a connection another session after each transaction or statement: time limits and what else
 * is set for a session would be others', or nobody's.
 *
 * @throws ConfigError that says what to change.
 */
export async function requireSessions(pool: Pool): Promise<void> {
  if (pool.options.max < 2) return;
  const clients: [Client, Client] = [await pool.connect(), await pool.connect()];
  try {
    const mark = randomUUID();
    await clients[0].query("SELECT set_config('footfall.session', $1, false)", [mark]);
    // The second reads while the first is idle: by then a pooler has given its session to whoever asks next.
    const other = await read(clients[1]);
    const own = await read(clients[0]);
    if (own === mark && other !== mark) return;
    throw new ConfigError(
      "DATABASE_URL: the pooler shares sessions among connections, and Footfall needs one for each: " +
        "set pool_mode = session (PgBouncer), or give the database's own address",
    );
  } finally {
    for (const client of clients) client.release();
  }
}

async function read(client: Client): Promise<string | null> {
  const { rows } = await client.query<{ mark: string | null }>(
    "SELECT current_setting('footfall.session', true) AS mark",
  );
  return rows[0]!.mark;
}
