import type { Client, Pool } from "../store/pool.ts";

/** A pool over another one: its connections break when a statement is sent that starts in a certain way. */
export function dyingAt(pool: Pool, statement: string): Pool {
  const connect = async () => {
    const client = await pool.connect();
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const guarded = (...args: unknown[]) => {
      if (sqlOf(args[0])?.startsWith(statement)) cut(client);
      return query(...args);
    };
    return Object.assign(client, { query: guarded });
  };
  return { connect, query: pool.query.bind(pool) } as unknown as Pool;
}

/** The SQL of a query, or of a COPY's stream. */
function sqlOf(query: unknown): string | undefined {
  return typeof query === "string" ? query : (query as { text?: string }).text;
}

function cut(client: Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
