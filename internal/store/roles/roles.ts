import { type Client, hasSqlState, type Pool, transaction } from "../pool.ts";
import { SchemaError } from "../schema-error.ts";
import { grantsSql, OWNER, USERS } from "./rights.ts";

const ROLES = [OWNER, ...USERS];

/** SQLSTATEs: not allowed; made by another at the same time, in this or another database of the cluster. */
const NOT_ALLOWED = "42501";
const TAKEN = ["42710", "23505"];

/**
 * Makes the roles, which all databases of a cluster share, where they are missing.
 * @throws SchemaError with what a superuser is to run, where the user may not.
 */
export async function makeRoles(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    "SELECT rolname AS name FROM pg_roles WHERE rolname = ANY($1)",
    [ROLES],
  );
  const known = new Set(rows.map(({ name }) => name));
  for (const role of ROLES) {
    if (!known.has(role)) await orAdvice(pool, () => makeRole(pool, role));
  }
}

async function makeRole(pool: Pool, role: string): Promise<void> {
  try {
    await pool.query(`CREATE ROLE ${role} NOLOGIN`);
  } catch (error) {
    if (!TAKEN.some((state) => hasSqlState(error, state))) throw error;
  }
}

const IS_GRANTED = `SELECT count(*) = 0 AS done FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND c.relowner <> to_regrole('${OWNER}')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`;

/** What is owned by somebody else, as ALTER names its kind; what belongs to a table or an extension goes with it. */
const FOREIGN = `SELECT format('ALTER %s %s OWNER TO ${OWNER}', kind, name) AS sql FROM (
    SELECT CASE relkind WHEN 'r' THEN 'TABLE' WHEN 'S' THEN 'SEQUENCE' ELSE 'MATERIALIZED VIEW' END AS kind,
      oid::regclass::text AS name, oid, relowner AS owner, relnamespace AS namespace
    FROM pg_class WHERE relkind IN ('r', 'v', 'S')
    UNION ALL
    SELECT 'FUNCTION', oid::regprocedure::text, oid, proowner, pronamespace FROM pg_proc
  ) o
  WHERE namespace = 'public'::regnamespace AND owner <> to_regrole('${OWNER}')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = o.oid AND d.deptype IN ('a', 'i', 'e'))`;

/**
 * Gives everything in the schema to the owner's role, and each other role its rights (rights.ts).
 * @param changed whether a migration was applied; without one nothing is done where it was done before.
 * @throws SchemaError with what is to be run, where the user may not.
 */
export async function grantRights(pool: Pool, changed: boolean): Promise<void> {
  const { rows } = await pool.query<{ done: boolean }>(IS_GRANTED);
  if (!changed && rows[0]!.done) return;
  await orAdvice(pool, () => transaction(pool, grantAll));
}

async function grantAll(client: Client): Promise<void> {
  await client.query("SET LOCAL statement_timeout = 0");
  const { rows } = await client.query<{ member: boolean; creates: boolean }>(
    `SELECT pg_has_role('${OWNER}', 'USAGE') AS member, has_schema_privilege('${OWNER}', 'public', 'CREATE') AS creates`,
  );
  const { member, creates } = rows[0]!;
  if (!member) await client.query(`GRANT ${OWNER} TO CURRENT_USER`);
  if (!creates) await client.query(`GRANT USAGE, CREATE ON SCHEMA public TO ${OWNER}`);
  const foreign = await client.query<{ sql: string }>(FOREIGN);
  for (const { sql } of foreign.rows) await client.query(sql);
  await client.query(grantsSql());
}

async function orAdvice(pool: Pool, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (!hasSqlState(cause, NOT_ALLOWED)) throw cause;
    const { rows } = await pool.query<{ name: string; database: string }>(
      "SELECT quote_ident(current_user) AS name, quote_ident(current_database()) AS database",
    );
    const { name, database } = rows[0]!;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new SchemaError(
      `roles: ${message}. Either run \`admin migrate\` as a user with CREATEROLE that owns the database, or have a ` +
        `superuser run in it:\n${ROLES.map((role) => `CREATE ROLE ${role} NOLOGIN;`).join("\n")}\n` +
        `GRANT ${OWNER} TO ${name};\nGRANT USAGE, CREATE ON SCHEMA public TO ${OWNER};\n` +
        `REASSIGN OWNED BY ... TO ${OWNER}; -- in database ${database}, where the tables are another user's`,
      { cause },
    );
  }
}
