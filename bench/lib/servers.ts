import { randomBytes } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import pg from "pg";
import { startNats } from "../../internal/embedded/nats/start.ts";
import { startTimescale } from "../../internal/embedded/postgres/start.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { migrate } from "../../internal/store/migrate.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";
import { connectNats } from "../../internal/stream/connect.ts";

/** Servers that a benchmark runs against: given ones, or embedded ones. */
export interface Servers {
  readonly natsUrl: string;
  /** Of an embedded nats-server. */
  readonly natsPid: number | undefined;
  /** Of an embedded database. */
  readonly databasePid: number | undefined;
  /** A database of its own, migrated. */
  readonly databaseUrl: string;
  readonly pool: Pool;
  /** What they are, for the report. */
  readonly versions: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts or finds the servers: DATABASE_URL and NATS_URL where given, else embedded. */
export async function startServers(partitions: number): Promise<Servers> {
  const folder = await temporaryDirectory("bench");
  const closers: (() => Promise<unknown>)[] = [() => folder.remove()];
  const stop = async () => {
    for (const close of closers.toReversed()) await close();
  };
  try {
    const nats = await broker(folder.path, closers);
    const { url: databaseUrl, pid: databasePid } = await database(folder.path, closers);
    const pool = createPool({ url: databaseUrl, name: "bench", maxConnections: 8, statementTimeoutMs: 0 });
    closers.push(() => pool.end());
    await migrate(pool, partitions);
    await removeStreams(nats.url);
    const found = await versions(pool, nats.url);
    const pids = { natsPid: nats.pid, databasePid };
    return { natsUrl: nats.url, databaseUrl, ...pids, pool, versions: found, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

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

/** A migrated database of its own: in the server of DATABASE_URL where given, dropped afterwards; else embedded. */
export async function startDatabase(partitions: number): Promise<Database> {
  const folder = await temporaryDirectory("bench");
  const open = async (): Promise<Database> => {
    const closers: (() => Promise<unknown>)[] = [];
    const { url, pid } = await database(folder.path, closers);
    const pool = createPool({ url, name: "bench", maxConnections: 8, statementTimeoutMs: 0 });
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
  await migrate(started.pool, partitions);
  return started;
}

async function broker(
  folder: string,
  closers: (() => Promise<unknown>)[],
): Promise<{ url: string; pid?: number }> {
  if (process.env.NATS_URL !== undefined) return { url: process.env.NATS_URL };
  const nats = await startNats({ dataDir: `${folder}/nats` });
  closers.push(() => nats.stop());
  return nats;
}

/** On a given server, a new database that is dropped afterwards. */
async function database(
  folder: string,
  closers: (() => Promise<unknown>)[],
): Promise<{ url: string; pid?: number }> {
  const server = process.env.DATABASE_URL;
  if (server === undefined) {
    const timescale = await startTimescale({ dataDir: `${folder}/timescale` });
    closers.push(() => timescale.stop());
    return timescale;
  }
  const name = `bench_${randomBytes(6).toString("hex")}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  closers.push(() => onServer(server, `DROP DATABASE ${name} WITH (FORCE)`));
  const url = new URL(server);
  url.pathname = `/${name}`;
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

/** A broker of the user's own may hold streams of an earlier benchmark; those of an installation are not ours. */
async function removeStreams(natsUrl: string): Promise<void> {
  const nats = await connectNats(natsUrl, "bench", 10_000);
  try {
    const jsm = await jetstreamManager(nats);
    for await (const { config } of jsm.streams.list()) {
      if (process.env.NATS_URL !== undefined && process.env.FOOTFALL_BENCH_MAY_DELETE !== "true") {
        throw new Error(
          `NATS_URL: holds the stream ${config.name}; FOOTFALL_BENCH_MAY_DELETE=true lets the benchmark delete it`,
        );
      }
      await jsm.streams.delete(config.name);
    }
  } finally {
    await nats.close();
  }
}

async function databaseVersions(pool: Pool): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ postgres: string; timescaledb: string }>(
    `SELECT current_setting('server_version') AS postgres,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb') AS timescaledb`,
  );
  return { ...rows[0]!, database_is: where("DATABASE_URL") };
}

const where = (name: string) => (process.env[name] === undefined ? "embedded" : "given");

async function versions(pool: Pool, natsUrl: string): Promise<Record<string, string>> {
  const nats = await connectNats(natsUrl, "bench", 10_000);
  const server = nats.info?.version ?? "unknown";
  await nats.close();
  return { ...(await databaseVersions(pool)), nats: server, nats_is: where("NATS_URL") };
}
