import type { Client, Pool } from "../../internal/store/pool.ts";

/** A pool over another one: its connections break when a statement is sent that starts in a certain way. */
export function dyingAt(pool: Pool, statement: string): Pool {
  const connect = async () => {
    const client = await pool.connect();
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const guarded = (...args: unknown[]) => {
      if (sqlOf(args[0])?.startsWith(statement)) cut(client);
      return query(...args);
    };
    // Also where nothing died the connection is not used again: its query is another one now.
    const release = client.release.bind(client);
    return Object.assign(client, { query: guarded, release: () => release(true) });
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

/** A pool over another one, of a program that dies as a statement is answered: nothing can be said afterwards. */
export function dyingAfter(pool: Pool, statement: string): Pool {
  let isDead = false;
  const orDead = () => {
    if (isDead) throw new Error(`died after ${statement}`);
  };
  const connect = async () => {
    orDead();
    const client = await pool.connect();
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const guarded = async (...args: unknown[]) => {
      const answer = await query(...args);
      if (!sqlOf(args[0])?.startsWith(statement)) return answer;
      isDead = true;
      return answer;
    };
    // A COPY's stream is used as it is, not waited for.
    const passOn = (...args: unknown[]) => (typeof args[0] === "string" ? guarded(...args) : query(...args));
    // Whether dead or not, the connection is not used again: its query is another one now.
    const release = client.release.bind(client);
    return Object.assign(client, { query: passOn, release: () => release(true) });
  };
  const query = async (...args: unknown[]) => {
    orDead();
    return await (pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>)(...args);
  };
  return { connect, query } as unknown as Pool;
}
