import pg from "pg";
import type { Registry } from "../telemetry/metrics.ts";
import { libpqAddress } from "./connection/address.ts";
import { cancelWhenAborted } from "./connection/cancel.ts";
import { watchPool } from "./connection/metrics.ts";
import { applySettings, type SessionSettings, serverIdOf } from "./connection/settings.ts";

export type Pool = pg.Pool;
export type Client = pg.PoolClient;

/** How long things may take, ms; 0 for no limit. What is left out has the value named here. */
export interface Timeouts {
  /** A statement. The client waits a little longer, for the case that the server cannot be heard any more. */
  readonly statementTimeoutMs: number;
  /** A transaction as a whole. Default 0. */
  readonly transactionTimeoutMs?: number;
  /** The wait for a free connection, the making of one included. Default: as a transaction, or 60,000. */
  readonly waitTimeoutMs?: number;
  /** The wait for a lock. Default 0. */
  readonly lockTimeoutMs?: number;
  /** A pause within a transaction, after which the server ends the connection. Default 60,000. */
  readonly idleInTransactionTimeoutMs?: number;
  /** Making a connection. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Silence on a connection before TCP asks whether the other side lives: 10 times, a second apart. Default 10,000. */
  readonly keepAliveMs?: number;
}

export interface PoolOptions extends Timeouts {
  /** postgres://..., or what tells it for each new connection. */
  readonly url: string | (() => string);
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly maxConnections: number;
  /** Gets the pool's metrics. */
  readonly registry?: Registry;
  /** What the pool is called in metrics. Default: its name. */
  readonly use?: string;
}

/** Default wait for a free connection, ms. Others' statements take as long as they take. */
const WAIT_MS = 60_000;

/** How much longer than the server the client waits for the end of a statement, ms: a quarter, but no longer than this. */
const MARGIN_MS = 5_000;

const END_SESSION = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE pid = $1 AND application_name = $2 AND pid <> pg_backend_pid()`;

/** How long the end of a session is waited for, ms: where the whole server hangs, the failure is to be told. */
const END_SESSION_MS = 2_000;

/** SQLSTATE query_canceled: by a request, or by statement_timeout. */
const CANCELLED = "57014";

interface Details {
  readonly name: string;
  readonly clients: Set<Client>;
  readonly transactionTimeoutMs: number;
}

const detailsOf = new WeakMap<Pool, Details>();

/**
 * A pool of connections to TimescaleDB. Connecting happens at first use: a database that is away is an
 * error of the statement, not of the start.
 *
 * @throws ConfigError for an address whose TLS cannot be as it says.
 */
export function createPool(options: PoolOptions): Pool {
  const { statementTimeoutMs, transactionTimeoutMs = 0 } = options;
  const { connectTimeoutMs = 10_000, keepAliveMs = 10_000 } = options;
  const address = () => libpqAddress(typeof options.url === "string" ? options.url : options.url());
  /** Each has the address as it is by then, and the files that it names. The pool's limit counts the wait, too. */
  class ConnectingClient extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super({ ...config, connectionString: address(), connectionTimeoutMillis: connectTimeoutMs });
      // A connection may break while no statement runs, also within what told that it stands: the next statement fails
      // with the cause. Without a listener it would end the process.
      this.on("error", () => {});
    }
  }
  // What is wrong with it is told at the start, not at the first connection.
  address();
  const pool = new pg.Pool({
    application_name: options.name,
    max: options.maxConnections,
    Client: ConnectingClient,
    connectionTimeoutMillis: Math.max(
      options.waitTimeoutMs ?? (transactionTimeoutMs || WAIT_MS),
      connectTimeoutMs,
    ),
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    ...(statementTimeoutMs > 0 && {
      query_timeout: statementTimeoutMs + Math.min(MARGIN_MS, statementTimeoutMs / 4),
    }),
    onConnect: (client) => prepare(client as Client, settingsOf(options), connectTimeoutMs),
  });
  // Likewise: an idle connection that breaks is replaced at the next use.
  pool.on("error", () => {});
  const clients = new Set<Client>();
  pool.on("connect", (client) => void clients.add(client));
  pool.on("remove", (client) => void clients.delete(client as Client));
  if (options.registry !== undefined) watchPool(options.registry, options.use ?? options.name, pool);
  detailsOf.set(pool, { name: options.name, clients, transactionTimeoutMs });
  return pool;
}

function settingsOf(options: PoolOptions): SessionSettings {
  const { statementTimeoutMs, lockTimeoutMs = 0, keepAliveMs = 10_000 } = options;
  return {
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 60_000,
    // Compiling a plan over many chunks takes seconds where running it takes milliseconds.
    jit: "off",
    // The server probes too: it would keep a session, and its locks, for hours after the client is gone.
    tcp_keepalives_idle: Math.ceil(keepAliveMs / 1_000),
    tcp_keepalives_interval: 1,
    tcp_keepalives_count: 10,
  };
}

/** A new connection is of no use without its settings; one that does not take them in time may never say goodbye. */
async function prepare(client: Client, settings: SessionSettings, timeoutMs: number): Promise<void> {
  try {
    await applySettings(client, settings, timeoutMs);
  } catch (error) {
    cut(client);
    throw error;
  }
}

/** Cuts all connections: what runs on them fails at once, and the server rolls it back. New ones are made at need. */
export function cutConnections(pool: Pool): void {
  for (const client of detailsOf.get(pool)?.clients ?? []) cut(client);
}

/** Clients whose server was not told that they are gone. */
const silent = new WeakSet<Client>();

/** Not `end()`: that says goodbye first, and waits for a server that may not be heard any more. */
function cut(client: Client): void {
  silent.add(client);
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

export interface TransactionOptions {
  /** The statement that begins it. */
  readonly begin?: string;
  /** How long that may take, ms. Default: as any other. */
  readonly beginTimeoutMs?: number | undefined;
  /** Cancels the statement that runs, and with it the transaction. */
  readonly signal?: AbortSignal | undefined;
}

/** A statement whose answer the client waits for no longer than this, ms; pg's types do not tell of it. */
function within(text: string, timeoutMs: number): pg.QueryConfig {
  return { text, query_timeout: timeoutMs } as pg.QueryConfig;
}

/**
 * Runs work in one transaction: committed when it returns, rolled back when it throws or takes longer than the
 * pool's limit. A connection whose rollback fails is not used again, nor one that a cancellation may still come to.
 */
export async function transaction<T>(
  pool: Pool,
  work: (client: Client) => Promise<T>,
  { begin = "BEGIN", beginTimeoutMs, signal }: TransactionOptions = {},
): Promise<T> {
  signal?.throwIfAborted();
  const client = await pool.connect();
  const { transactionTimeoutMs = 0 } = detailsOf.get(pool) ?? {};
  const limit = transactionTimeoutMs > 0 ? setTimeout(cut, transactionTimeoutMs, client) : undefined;
  const watch = signal && cancelWhenAborted(client, signal, () => cut(client));
  let broken: Error | boolean | undefined;
  try {
    signal?.throwIfAborted();
    await client.query(beginTimeoutMs === undefined ? begin : within(begin, beginTimeoutMs));
    const result = await work(client);
    await client.query("COMMIT");
    broken = await watch?.stop();
    return result;
  } catch (error) {
    const mayStillCome = (await watch?.stop()) === true && !hasSqlState(error, CANCELLED);
    broken = mayStillCome || (await rollBack(client, error));
    throw error;
  } finally {
    clearTimeout(limit);
    client.release(broken);
    if (silent.has(client)) await endSession(pool, client);
  }
}

/** Runs statements on one connection, in no transaction. One on which any fails is not used again. */
export async function onConnection<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    const result = await work(client);
    broken = false;
    return result;
  } finally {
    client.release(broken);
  }
}

/** @returns why the connection cannot be used any more. */
async function rollBack(client: Client, failed: unknown): Promise<Error | undefined> {
  // The client's own time limit: the statement is still under way, and a ROLLBACK would only wait behind it.
  if (failed instanceof Error && failed.message === "Query read timeout") {
    cut(client);
    return failed;
  }
  return client.query("ROLLBACK").then(
    () => undefined,
    (cause: Error) => cause,
  );
}

/**
 * Ends the session of a connection that was cut, which its server may not notice. While a server waits for the rest
 * of a COPY no time limit ends it, and it would keep the locks of its transaction.
 */
async function endSession(pool: Pool, client: Client): Promise<void> {
  await pool
    .query(within(END_SESSION, END_SESSION_MS), [serverIdOf(client) ?? null, detailsOf.get(pool)?.name])
    // Where the database is away altogether, it notices by itself.
    .catch(() => {});
}

/** Whether an error is PostgreSQL's of the given SQLSTATE. */
export function hasSqlState(error: unknown, state: string): boolean {
  return sqlState(error) === state;
}

/** The SQLSTATE of an error, if it is PostgreSQL's. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) return undefined;
  // Codes of sockets, such as EPIPE, have five letters too; no class of SQLSTATE begins with an E.
  return /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(error.code) ? error.code : undefined;
}
