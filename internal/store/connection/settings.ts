import type pg from "pg";

/** Settings of a session by name, as PostgreSQL reads them. */
export type SessionSettings = Readonly<Record<string, string | number>>;

/** Process ids of the servers of connections; what a pooler tells a client at the start is a number of its own. */
const serverIds = new WeakMap<pg.ClientBase, number>();

/** The process that serves a connection. */
export function serverIdOf(client: pg.ClientBase): number | undefined {
  return serverIds.get(client);
}

/**
 * Makes settings for the rest of a session. Not as startup parameters: PgBouncer refuses most of these, or, told to ignore
 * them, leaves a session without any time limit.
 */
export async function applySettings(
  client: pg.ClientBase,
  settings: SessionSettings,
  timeoutMs: number,
): Promise<void> {
  const names = Object.keys(settings);
  const calls = names.map((_, at) => `set_config($${at * 2 + 1}, $${at * 2 + 2}, false)`);
  const { rows } = await client.query<{ pid: number }>({
    text: `SELECT pg_backend_pid() AS pid, ${calls.join(", ")}`,
    values: names.flatMap((name) => [name, String(settings[name])]),
    query_timeout: timeoutMs,
  } as pg.QueryConfig);
  serverIds.set(client, rows[0]!.pid);
}
