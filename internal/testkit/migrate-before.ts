import { knownMigrations } from "../store/migrate.ts";
import { type TestDatabase, testPool } from "./database.ts";

/** Makes of an empty database what a program of the time before a migration left. */
export async function migrateBefore(
  database: TestDatabase,
  version: number,
  partitions: number,
): Promise<void> {
  const pool = testPool(database.url, 1);
  await pool.query(
    `CREATE TABLE schema_migrations (
       version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT now())`,
  );
  for (const migration of knownMigrations().filter((known) => known.version < version)) {
    await pool.query(migration.sql);
    await pool.query("INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)", [
      migration.version,
      migration.name,
      migration.sha256,
    ]);
  }
  await pool.query("INSERT INTO installation (partitions) VALUES ($1)", [partitions]);
  await pool.query("INSERT INTO partitions (partition_id) SELECT generate_series(0, $1::integer - 1)", [
    partitions,
  ]);
  await pool.end();
}
