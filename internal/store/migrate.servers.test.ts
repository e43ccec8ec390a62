import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEmptyDatabase, type TestDatabase, testPool } from "../../test/kit/database.ts";
import { knownMigrations, migrate, readInstallation } from "./migrate.ts";
import { SchemaError } from "./schema-error.ts";

const PARTITIONS = 4;
const ALL = knownMigrations().map(({ name }) => name);

let database: TestDatabase;

beforeAll(async () => {
  database = await openEmptyDatabase();
});

afterAll(() => database?.close());

const query = async (sql: string) => (await database.pool.query(sql)).rows;
const refused = async (work: Promise<unknown>, message: RegExp) => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SchemaError);
  expect((error as Error).message).toMatch(message);
};

/** Migrates as a program does, on a connection of its own: a session cannot create the extension twice. */
async function run(partitions = PARTITIONS): Promise<string[]> {
  const pool = testPool(database.url, 1);
  try {
    return await migrate(pool, partitions);
  } finally {
    await pool.end();
  }
}

/** Every column of ours, as one text each. */
const schema = () =>
  query(`SELECT table_name || '.' || column_name || ' ' || data_type AS line FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY 1`);

// The tests follow one database from its first day on.
describe("migrate", () => {
  test("a program that finds no schema says what to run", () =>
    refused(readInstallation(database.pool), /at version 0, this program needs \d+: run `admin migrate`/));

  test("a migration that fails in the middle leaves nothing, and the next run goes on there", async () => {
    // The last table of 0002 finds its name taken; others were made before it.
    await query("CREATE TABLE visitor_sessions (in_the_way integer)");
    await expect(run()).rejects.toMatchObject({ code: "42P07" });
    const lines = (await schema()).map(({ line }) => line);
    expect(lines).toContain("merchants.merchant_id integer");
    expect(lines.filter((line) => /^(events|items|visitor_sessions)\./.test(line))).toEqual([
      "visitor_sessions.in_the_way integer",
    ]);
    await query("DROP TABLE visitor_sessions");
    // Three at once, as programs that start together: each migration that is left is applied by one of them.
    const runs = await Promise.all([run(), run(), run()]);
    expect(runs.flat().sort()).toEqual(ALL.slice(1));
    expect(await query("SELECT name, length(sha256) AS hex FROM schema_migrations ORDER BY version")).toEqual(
      ALL.map((name) => ({ name, hex: 64 })),
    );
  });

  test("a second run applies nothing and changes nothing", async () => {
    const before = await schema();
    expect(await run()).toEqual([]);
    expect(await schema()).toEqual(before);
    expect(await query("SELECT partition_id AS id, stream_seq AS seq FROM partitions ORDER BY 1")).toEqual(
      [0, 1, 2, 3].map((id) => ({ id, seq: "0" })),
    );
    expect(await readInstallation(database.pool)).toEqual({ partitions: PARTITIONS });
  });

  test("another number of partitions is refused, and the first one stays", async () => {
    await refused(run(8), /partitions: 8 was asked for, .* made with 4/);
    expect(await readInstallation(database.pool)).toEqual({ partitions: PARTITIONS });
    expect(await query("SELECT count(*)::integer AS n FROM partitions")).toEqual([{ n: PARTITIONS }]);
  });

  test("a run that ended before it wrote down the partitions is told apart, and made good", async () => {
    await query("BEGIN; DELETE FROM partitions; DELETE FROM installation; COMMIT");
    await refused(readInstallation(database.pool), /run `admin migrate`/);
    expect(await run()).toEqual([]);
    expect(await readInstallation(database.pool)).toEqual({ partitions: PARTITIONS });
    expect(await query("SELECT count(*)::integer AS n FROM partitions")).toEqual([{ n: PARTITIONS }]);
  });

  test("a migration that was changed after it had been applied is refused", async () => {
    await query("UPDATE schema_migrations SET sha256 = repeat('0', 64) WHERE version = 1");
    await refused(run(), /0001_installation\.sql was changed/);
    await refused(readInstallation(database.pool), /0001_installation\.sql was changed/);
    const { sha256 } = knownMigrations()[0]!;
    await query(`UPDATE schema_migrations SET sha256 = '${sha256}' WHERE version = 1`);
    expect(await run()).toEqual([]);
  });

  test("a newer schema is refused by name and number", async () => {
    const next = ALL.length + 1;
    await query(`INSERT INTO schema_migrations (version, name, sha256) VALUES (${next}, 'later.sql', 'x')`);
    const message = new RegExp(`at version ${next} \\(later\\.sql\\), this program knows ${ALL.length}`);
    await refused(run(), message);
    await refused(readInstallation(database.pool), message);
  });
});
