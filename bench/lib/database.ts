import { randomBytes } from "node:crypto";
import pg from "pg";
import { startTimescale } from "../../internal/embedded/postgres/start.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { migrate } from "../../internal/store/migrate.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";

/** A database to benchmark alone. */
export interface Database {
  readonly url: string;
  /** Of an embedded one. */
  readonly pid: number | undefined;
  readonly pool: Pool;
  readonly versions: Readonly<Record<string, string>>;
  /** Stops and starts an embedded one on its files; undefined for a given server, which is not ours to stop. */
  readonly restart: (() => Promise<Database>) | undefined;
  stop(): Promise<void>;
}

/** Names of databases in the server of DATABASE_URL, which are not dropped. */
export interface Kept {
  /** To be made. */
  readonly keep?: string | undefined;
  /** That is there. */
  readonly loaded?: string | undefined;
}

/**
 * A migrated database of its own: in the server of DATABASE_URL where given, dropped afterwards unless it is to be kept;
 * else embedded.
 */
export async function startDatabase(partitions: number, kept: Kept = {}): Promise<Database> {
  const folder = await temporaryDirectory("bench");
  const open = async (): Promise<Database> => {
    const closers: (() => Promise<unknown>)[] = [];
    const { url, pid } = await newDatabase(folder.path, closers, kept);
    const pool = createPool({
      url,
      name: "bench",
      maxConnections: 8,
      statementTimeoutMs: 0,
      connectTimeoutMs: 60_000,
    });
    const close = async () => {
      await pool.end();
      for (const end of closers) await end();
    };
    const restart = async () => {
      await close();
      return open();
    };
    const stop = async () => {
      await close();
      await folder.remove();
    };
    const found = { url, pid, pool, stop, restart: pid === undefined ? undefined : restart };
    return { ...found, versions: await databaseVersions(pool) };
  };
  const started = await open();
  // A loaded one stays as it was measured: its aggregates would lack what a newer schema adds.
  if (kept.loaded === undefined) await migrate(started.pool, partitions);
  return started;
}

/** On a given server a new database that is dropped afterwards, or one that is kept; else an embedded server. */
export async function newDatabase(
  folder: string,
  closers: (() => Promise<unknown>)[],
  { keep, loaded }: Kept = {},
): Promise<{ url: string; pid?: number }> {
  const server = process.env.DATABASE_URL;
  if (server === undefined) {
    if (keep !== undefined || loaded !== undefined)
      throw new Error("keep, loaded: an embedded database goes with its run; DATABASE_URL names a server");
    const timescale = await startTimescale({ dataDir: `${folder}/timescale` });
    closers.push(() => timescale.stop());
    return timescale;
  }
  const url = new URL(server);
  const name = loaded ?? keep ?? `bench_${randomBytes(6).toString("hex")}`;
  url.pathname = `/${encodeURIComponent(name)}`;
  if (loaded !== undefined) return { url: url.href };
  await onServer(server, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  if (keep === undefined) closers.push(() => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`));
  return { url: url.href };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export async function databaseVersions(pool: Pool): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ postgres: string; timescaledb: string }>(
    `SELECT current_setting('server_version') AS postgres,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb') AS timescaledb`,
  );
  return { ...rows[0]!, database_is: where("DATABASE_URL") };
}

/** Whether a server was given by an environment variable. */
export function where(name: string): "embedded" | "given" {
  return process.env[name] === undefined ? "embedded" : "given";
}
