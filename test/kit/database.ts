import { join } from "node:path";
import { freePort } from "../../internal/embedded/free-port.ts";
import { startTimescale, type Timescale } from "../../internal/embedded/postgres/start.ts";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";
import { CONTINUOUS_AGGREGATES } from "../../internal/store/continuous-aggregates.ts";
import { migrate } from "../../internal/store/migrate.ts";
import { createPool, type Pool } from "../../internal/store/pool.ts";
import { fillMigrated } from "./migrated-database.ts";

/** A database for one test file. */
export interface TestDatabase {
  /** postgres://... */
  readonly url: string;
  readonly pool: Pool;
  /** Ends the pool and removes the database. */
  close(): Promise<void>;
}

/** A migrated, otherwise empty database: see openEmptyDatabase. */
export async function openTestDatabase(partitions: number): Promise<TestDatabase> {
  const database = await openDatabase(fillMigrated);
  try {
    await migrate(database.pool, partitions);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/**
 * Starts a TimescaleDB with nothing in its database; or, where FOOTFALL_TEST_DATABASE_URL names a server, makes
 * a database of its own there and drops it afterwards.
 */
export function openEmptyDatabase(): Promise<TestDatabase> {
  return openDatabase(async () => {});
}

/** @param fill puts an embedded database into a folder that does not exist yet, or leaves it. */
async function openDatabase(fill: (dataDir: string) => Promise<void>): Promise<TestDatabase> {
  const server = process.env.FOOTFALL_TEST_DATABASE_URL;
  const { url, remove } = server === undefined ? await embedded(fill) : await onServer(server);
  const pool = testPool(url);
  const close = async () => {
    await pool.end();
    await remove();
  };
  return { url, pool, close };
}

/** Makes a merchant that has rollups: without one, the aggregates of rows with in_rollups are not refreshed. */
export async function addMerchantWithRollups(pool: Pool): Promise<void> {
  await pool.query(
    `INSERT INTO merchants (name, time_zone, currency, retention_days, rollups_from, rollups_ready_from)
     VALUES ('large', 'UTC', 'EUR', 7300, '2000-01-01Z', '2000-01-01Z')`,
  );
}

/** Refreshes all of every continuous aggregate, whatever is marked. */
export async function refreshAggregates(pool: Pool): Promise<void> {
  for (const name of CONTINUOUS_AGGREGATES) {
    await pool.query(`CALL refresh_continuous_aggregate('${name}', NULL, NULL)`);
  }
}

/** A database that can be killed. */
export interface MortalDatabase extends TestDatabase {
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and files. */
  start(): Promise<void>;
}

/** A migrated database like openTestDatabase's, always an embedded one. */
export async function openMortalDatabase(partitions: number): Promise<MortalDatabase> {
  const directory = await temporaryDirectory("database");
  const dataDir = join(directory.path, "timescale");
  await fillMigrated(dataDir);
  const port = await freePort();
  const launch = () => startTimescale({ dataDir, port });
  let server: Timescale = await launch();
  const pool = testPool(server.url);
  await migrate(pool, partitions);
  return {
    url: server.url,
    pool,
    kill: () => kill(server),
    async start() {
      server = await launch();
    },
    async close() {
      await pool.end();
      await kill(server);
      await directory.remove();
    },
  };
}

/** kill -9: an orderly end takes half a second, for files that nobody opens any more. */
async function kill(server: Timescale): Promise<void> {
  try {
    process.kill(server.pid, "SIGKILL");
  } catch {
    // A test that failed may have left it dead.
  }
  await server.exited;
}

/** A pool of a few connections, each statement limited to a minute. */
export function testPool(url: string, maxConnections = 4): Pool {
  return createPool({ url, name: "test", maxConnections, statementTimeoutMs: 60_000 });
}

/** As if chunks were large: a statement that unpacks a row of the columnstore fails unless it lifted the limit. */
export async function forbidDecompression(pool: Pool): Promise<void> {
  const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
  for (const client of clients) {
    await client.query("SET timescaledb.max_tuples_decompressed_per_dml_transaction = 1");
    client.release();
  }
}

interface Database {
  readonly url: string;
  remove(): Promise<void>;
}

async function embedded(fill: (dataDir: string) => Promise<void>): Promise<Database> {
  const directory = await temporaryDirectory("database");
  const dataDir = join(directory.path, "timescale");
  await fill(dataDir);
  const timescale = await startTimescale({ dataDir });
  const remove = async () => {
    await kill(timescale);
    await directory.remove();
  };
  return { url: timescale.url, remove };
}

let databases = 0;

async function onServer(server: string): Promise<Database> {
  const name = `footfall_test_${process.pid}_${Date.now()}_${++databases}`;
  const run = async (sql: string) => {
    const pool = createPool({ url: server, name: "test", maxConnections: 1, statementTimeoutMs: 0 });
    try {
      await pool.query(sql);
    } finally {
      await pool.end();
    }
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, remove: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}
