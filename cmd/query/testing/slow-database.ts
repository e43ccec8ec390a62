import { readFileSync } from "node:fs";
import { keySha256 } from "../../../internal/store/api-keys.ts";
import { withCheck } from "../../../internal/store/key-text.ts";
import { knownMigrations } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";

const keyOf = (name: string) => withCheck(`ffr_${name.padEnd(43, "0")}`);

/** Read keys, by what becomes of their merchants' reports. */
export const KEYS = { heavy: keyOf("heavy"), light: keyOf("light"), endless: keyOf("endless") };

/** Merchants by what the database does with a scan of their rows: each takes so many seconds. */
const MERCHANTS = [
  { merchantId: 1, key: KEYS.heavy, seconds: 1 },
  { merchantId: 2, key: KEYS.light, seconds: 0 },
  { merchantId: 3, key: KEYS.endless, seconds: 60 },
];

/** The functions by which reports ask how the data stand, as the migration makes them. */
const FUNCTIONS = readFileSync(
  new URL("../../../internal/store/migrations/0004_aggregates.sql", import.meta.url),
  "utf8",
)
  .match(/CREATE FUNCTION (?:freshness|invalid_starts|data_state)\(.*?\$\$;/gs)!
  .join("\n");

/**
 * What reports by the minute need of the schema, in a PostgreSQL without TimescaleDB: one event for each merchant, on
 * 2026-01-01, and a scan of its rows that takes as long as the merchant's does.
 */
export async function makeSlowDatabase(pool: Pool): Promise<void> {
  await pool.query(`
    CREATE TABLE schema_migrations (version integer PRIMARY KEY, name text, sha256 text);
    CREATE TABLE installation (partitions integer);
    INSERT INTO installation VALUES (4);
    CREATE TABLE partitions (partition_id integer, committed_through timestamptz);
    CREATE TABLE merchants (merchant_id integer PRIMARY KEY, name text, time_zone text, currency text,
      retention_days integer, truncate_ip boolean, own_domains text[], ignored_referrers text[],
      rollups_ready_from timestamptz, rollups_from timestamptz, seconds float8);
    CREATE TABLE api_keys (key_sha256 bytea, merchant_id integer, kind text, revoked_at timestamptz);
    CREATE FUNCTION merchant_of_key(asked_kind text, asked_sha256 bytea) RETURNS SETOF merchants LANGUAGE sql STABLE
      AS 'SELECT m.* FROM api_keys k JOIN merchants m USING (merchant_id)
        WHERE k.kind = asked_kind AND k.key_sha256 = asked_sha256';
    CREATE TABLE spool_reports (partition_id integer, events bigint, oldest_at timestamptz, left_at timestamptz,
      left_until timestamptz);
    CREATE TABLE invalidations (grain text, partition_id integer, start timestamptz);
    CREATE TABLE day_versions (partition_id integer, day date, version bigint);
    CREATE TABLE totals_15m (merchant_id integer, bucket timestamptz, is_bot boolean, events bigint,
      oldest_processor_version smallint, newest_processor_version smallint);
    CREATE TABLE goals (merchant_id integer, goal_id integer, name text, event_name text, page_pattern text,
      value_micros bigint, created_at timestamptz);
    ${FUNCTIONS}
    CREATE VIEW events AS
      SELECT m.merchant_id, TIMESTAMPTZ '2026-01-01 00:00:30Z' AS ts, 'page_view' AS name, false AS is_bot,
        NULL::smallint AS order_kind, NULL::bigint AS revenue_micros, 1::bigint AS visitor_id,
        1::smallint AS processor_version
      FROM merchants m, LATERAL (SELECT pg_sleep(m.seconds) OFFSET 0) slept`);
  for (const { version, name, sha256 } of knownMigrations()) {
    await pool.query("INSERT INTO schema_migrations VALUES ($1, $2, $3)", [version, name, sha256]);
  }
  for (const { merchantId, key, seconds } of MERCHANTS) {
    await pool.query(
      "INSERT INTO merchants VALUES ($1, 'A shop', 'UTC', 'EUR', 365, true, '{}', '{}', NULL, NULL, $2)",
      [merchantId, seconds],
    );
    await pool.query("INSERT INTO api_keys VALUES ($1, $2, 'read')", [keySha256(key), merchantId]);
  }
}
