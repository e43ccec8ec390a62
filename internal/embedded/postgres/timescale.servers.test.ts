import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { startTimescale, type Timescale } from "./start.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let timescale: Timescale;

beforeAll(async () => {
  directory = await temporaryDirectory("timescale");
  timescale = await startTimescale({ dataDir: directory.path });
}, 60_000);

afterAll(async () => {
  await timescale?.stop();
  await directory.remove();
});

async function query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(timescale.url);
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

test("hypertable, continuous aggregate, refresh, compression, all through the wire", async () => {
  await query("CREATE TABLE hits (ts timestamptz NOT NULL, merchant int NOT NULL)");
  await query("SELECT create_hypertable('hits', 'ts')");
  await query(`CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 hour', ts) AS hour, merchant, count(*) AS n FROM hits GROUP BY 1, 2 WITH NO DATA`);
  await query(`INSERT INTO hits SELECT '2026-01-01'::timestamptz + i * interval '1 minute', i % 3
    FROM generate_series(0, 599) i`);
  await query("CALL refresh_continuous_aggregate('hourly', NULL, '2026-01-01 05:00Z')");
  expect(await query("SELECT sum(n)::int AS n FROM hourly")).toEqual([{ n: 300 }]);
  await query("CALL refresh_continuous_aggregate('hourly', $1::timestamptz, $2::timestamptz)", [
    "2026-01-01 05:00Z",
    "2026-01-02 00:00Z",
  ]);
  expect(await query("SELECT sum(n)::int AS n FROM hourly")).toEqual([{ n: 600 }]);
  await query("ALTER TABLE hits SET (timescaledb.compress, timescaledb.compress_orderby = 'merchant, ts')");
  await query("SELECT compress_chunk(c) FROM show_chunks('hits') c");
  expect(await query("SELECT count(*)::int AS n FROM hits WHERE merchant = 1")).toEqual([{ n: 200 }]);
});

test("after kill -9 committed rows are there, and community features work on", async () => {
  await query("CREATE TABLE kept (a int)");
  const open = new pg.Client(timescale.url);
  open.on("error", () => {});
  await open.connect();
  await open.query("INSERT INTO kept SELECT generate_series(1, 1000)");
  await open.query("BEGIN");
  await open.query("INSERT INTO kept VALUES (-1)");
  process.kill(timescale.pid, "SIGKILL");
  expect(await timescale.exited).toBeNull();
  timescale = await startTimescale({ dataDir: directory.path });
  expect(await query("SELECT count(*)::int AS n, min(a) FROM kept")).toEqual([{ n: 1000, min: 1 }]);
  await query("INSERT INTO hits VALUES ('2026-01-01 00:00:30Z', 1)");
  await query("CALL refresh_continuous_aggregate('hourly', NULL, NULL)");
  expect(await query("SELECT sum(n)::int AS n FROM hourly")).toEqual([{ n: 601 }]);
}, 60_000);

test("deep recursion has room", async () => {
  await query(`CREATE FUNCTION down(i int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RETURN CASE WHEN i <= 0 THEN 0 ELSE down(i - 1) END; END $$`);
  expect(await query("SELECT down(500)")).toEqual([{ down: 0 }]);
});

test("a query that kills the database ends the process, and a restart has the data", async () => {
  const endless = Array.from({ length: 30_000 }, () => "1").join("+");
  await expect(query(`SELECT ${endless}`)).rejects.toThrow("Connection terminated unexpectedly");
  expect(await timescale.exited).toBe(1);
  timescale = await startTimescale({ dataDir: directory.path });
  expect(await query("SELECT sum(n)::int AS n FROM hourly")).toEqual([{ n: 601 }]);
}, 60_000);

test("a data directory is used by one server at a time", async () => {
  const second = startTimescale({ dataDir: directory.path });
  await expect(second).rejects.toThrow(`is in use by process ${timescale.pid}`);
  expect(readFileSync(join(directory.path, "footfall.lock"), "utf8")).toBe(`${timescale.pid}\n`);
});

test("SIGTERM closes cleanly, also with a transaction open", async () => {
  const open = new pg.Client(timescale.url);
  const errors: Error[] = [];
  open.on("error", (error) => errors.push(error));
  await open.connect();
  await open.query("BEGIN");
  await timescale.stop();
  expect(await timescale.exited).toBe(0);
  expect(errors[0]).toMatchObject({ code: "57P01" });
});
