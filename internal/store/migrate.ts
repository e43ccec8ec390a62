import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { requireSessions } from "./connection/pooled-sessions.ts";
import { type Client, hasSqlState, type Pool, transaction } from "./pool.ts";
import { grantRights, makeRoles } from "./roles/roles.ts";
import { SchemaError } from "./schema-error.ts";

const FOLDER = new URL("migrations/", import.meta.url);

/** Any number will do, as long as it is the same in every program. */
const MIGRATION_LOCK = 4_611_207;

const UNDEFINED_TABLE = "42P01";

export interface Migration {
  /** From the file's name: 0001_base.sql is 1. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** The migrations that this program knows, ascending, numbered from 1 without a gap. */
export function knownMigrations(): Migration[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".sql"));
  return files.sort().map((name, index) => {
    if (Number(name.slice(0, 4)) !== index + 1)
      throw new Error(`migrations: expected number ${index + 1} at ${name}`);
    const sql = readFileSync(new URL(name, FOLDER), "utf8");
    return { version: index + 1, name, sql, sha256: createHash("sha256").update(sql).digest("hex") };
  });
}

/**
 * Brings the schema up to date; each migration in a transaction of its own, so that an interrupted run goes
 * on where it stopped. Runs of several programs at once wait for one another.
 * @returns the names of the migrations that were applied.
 * @throws SchemaError when the database is newer than this program, or a migration was changed afterwards.
 */
export async function migrate(pool: Pool, partitions: number): Promise<string[]> {
  const applied = await applyMigrations(pool);
  await fixPartitions(pool, partitions);
  return applied;
}

/** All of `migrate` but the number of partitions: what every database of this version has in common, roles included. */
export async function applyMigrations(pool: Pool): Promise<string[]> {
  const applied: string[] = [];
  await makeRoles(pool);
  for (const migration of knownMigrations()) {
    const done = await transaction(pool, (client) => applyOne(client, migration));
    if (done) applied.push(migration.name);
  }
  await grantRights(pool, applied.length > 0);
  return applied;
}

async function applyOne(client: Client, migration: Migration): Promise<boolean> {
  await client.query("SET LOCAL statement_timeout = 0");
  await client.query("SET LOCAL lock_timeout = 0");
  await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
  await client.query(
    `CREATE TABLE IF NOT EXISTS schema_migrations (
       version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT now())`,
  );
  const before = await readApplied(client);
  verify(before);
  if (before.length >= migration.version) return false;
  await client.query(migration.sql);
  await client.query("INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)", [
    migration.version,
    migration.name,
    migration.sha256,
  ]);
  return true;
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
}

async function readApplied(client: Pick<Client, "query">): Promise<AppliedRow[]> {
  const { rows } = await client.query<AppliedRow>(
    "SELECT version, name, sha256 FROM schema_migrations ORDER BY version",
  );
  return rows;
}

function verify(applied: readonly AppliedRow[]): void {
  const known = knownMigrations();
  if (applied.length > known.length) {
    const { version, name } = applied.at(-1)!;
    throw new SchemaError(
      `schema: the database is at version ${version} (${name}), this program knows ${known.length}: use a newer program`,
    );
  }
  for (const { version, name, sha256 } of applied) {
    if (known[version - 1]!.sha256 !== sha256) {
      throw new SchemaError(`schema: migration ${name} was changed after it had been applied`);
    }
  }
}

async function fixPartitions(pool: Pool, partitions: number): Promise<void> {
  await pool.query("INSERT INTO installation (partitions) VALUES ($1) ON CONFLICT DO NOTHING", [partitions]);
  const { rows } = await pool.query<{ partitions: number }>("SELECT partitions FROM installation");
  if (rows[0]!.partitions !== partitions) {
    throw new SchemaError(
      `partitions: ${partitions} was asked for, but this installation was made with ${rows[0]!.partitions}, for good`,
    );
  }
  await pool.query(
    "INSERT INTO partitions (partition_id) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING",
    [partitions],
  );
}

/**
 * Refuses a database that this program cannot work with, and tells the installation's number of partitions.
 * @throws SchemaError when the schema is older or newer than this program's; ConfigError for a pooler of transactions.
 */
export async function readInstallation(pool: Pool): Promise<{ partitions: number }> {
  const applied = await readApplied(pool).catch((error: unknown) => {
    if (hasSqlState(error, UNDEFINED_TABLE)) return [];
    throw error;
  });
  verify(applied);
  const known = knownMigrations().length;
  if (applied.length < known) {
    throw new SchemaError(
      `schema: the database is at version ${applied.length}, this program needs ${known}: run \`admin migrate\``,
    );
  }
  await requireSessions(pool);
  const { rows } = await pool.query<{ partitions: number }>("SELECT partitions FROM installation");
  if (rows[0] === undefined) {
    throw new SchemaError("partitions: their number is not in the database yet: run `admin migrate`");
  }
  return { partitions: rows[0].partitions };
}
