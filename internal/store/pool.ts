import pg from "pg";

export type Pool = pg.Pool;
export type Client = pg.PoolClient;

export interface PoolOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly maxConnections: number;
  /** Longest time a statement may take, ms; 0 for no limit. */
  readonly statementTimeoutMs: number;
  /** Longest wait for a connection, ms. Default 10,000. */
  readonly connectTimeoutMs?: number;
}

/**
 * A pool of connections to TimescaleDB. Connecting happens at first use: a database that is away is an
 * error of the statement, not of the start.
 */
export function createPool(options: PoolOptions): Pool {
  const { url, name, maxConnections, statementTimeoutMs, connectTimeoutMs = 10_000 } = options;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: 60_000,
  });
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on("error", () => {});
  return pool;
}

/**
 * Runs work in one transaction: committed when it returns, rolled back when it throws. A connection whose
 * rollback fails is not used again.
 */
export async function transaction<T>(
  pool: Pool,
  work: (client: Client) => Promise<T>,
  begin = "BEGIN",
): Promise<T> {
  const client = await pool.connect();
  // The connection may break while no statement runs; the next statement then fails with the cause.
  const ignore = () => {};
  client.on("error", ignore);
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((cause: Error) => {
      broken = cause;
    });
    throw error;
  } finally {
    client.off("error", ignore);
    client.release(broken);
  }
}

/** Whether an error is PostgreSQL's of the given SQLSTATE. */
export function hasSqlState(error: unknown, state: string): boolean {
  return error instanceof Error && "code" in error && error.code === state;
}
