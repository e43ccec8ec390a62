import { startTimescale } from "../../../embedded/postgres/start.ts";
import { temporaryDirectory } from "../../../embedded/temporary.ts";
import { migrate } from "../../migrate.ts";
import { createPool, type Pool } from "../../pool.ts";

/** A migrated, otherwise empty database for one test file. */
export interface TestDatabase {
  readonly pool: Pool;
  close(): Promise<void>;
}

/**
 * Starts a TimescaleDB; or, where FOOTFALL_TEST_DATABASE_URL names a server, makes a database of its own there
 * and drops it afterwards.
 */
export async function openTestDatabase(partitions: number): Promise<TestDatabase> {
  const server = process.env.FOOTFALL_TEST_DATABASE_URL;
  const database = server === undefined ? await embedded() : await onServer(server);
  const pool = createPool({ url: database.url, name: "test", maxConnections: 4, statementTimeoutMs: 60_000 });
  await migrate(pool, partitions);
  const close = async () => {
    await pool.end();
    await database.remove();
  };
  return { pool, close };
}

interface Database {
  readonly url: string;
  remove(): Promise<void>;
}

async function embedded(): Promise<Database> {
  const directory = await temporaryDirectory("report");
  const timescale = await startTimescale({ dataDir: directory.path });
  const remove = async () => {
    await timescale.stop();
    await directory.remove();
  };
  return { url: timescale.url, remove };
}

async function onServer(server: string): Promise<Database> {
  const name = `report_test_${process.pid}_${Date.now()}`;
  const run = async (sql: string) => {
    const pool = createPool({ url: server, name: "test", maxConnections: 1, statementTimeoutMs: 0 });
    await pool.query(sql);
    await pool.end();
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, remove: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}
