import { CONTINUOUS_AGGREGATES } from "../continuous-aggregates.ts";

/** Roles without a login: an operator makes logins, and grants one of these to each. docs/database.md has who needs which. */
export const OWNER = "footfall_owner";
export const USERS = ["footfall_writer", "footfall_reader", "footfall_archiver", "footfall_ingest"] as const;

type User = (typeof USERS)[number] extends `footfall_${infer U}` ? U : never;

/** What each role may do with a table; one that is not named may do nothing. The owner may do everything. */
type Rights = Readonly<Partial<Record<User, string>>>;

const READ = "SELECT";
const WRITE = "SELECT, INSERT, UPDATE, DELETE";

const everybody: Rights = { writer: READ, reader: READ, archiver: READ, ingest: READ };
/** Events, and what is derived of them. */
const rows: Rights = { writer: WRITE, reader: READ };
/** What keeps the writer from counting twice, and tells writers apart. */
const books: Rights = { writer: WRITE };
const archive: Rights = { archiver: WRITE };

/** Every table of the schema; roles.servers.test.ts finds one that is missing. Nobody but the owner sees API keys. */
export const TABLES: Readonly<Record<string, Rights>> = {
  schema_migrations: everybody,
  installation: everybody,
  // A merchant's names and sites are told by its API key (merchant_of_key).
  merchants: {
    writer: READ,
    reader: "SELECT (merchant_id, rollups_from, rollups_ready_from, last_goal_id), UPDATE (last_goal_id)",
    archiver: "SELECT (merchant_id, retention_days)",
  },
  api_keys: {},
  // Query makes them for who shows a management key.
  goals: { reader: WRITE },
  events: rows,
  items: rows,
  visitors: rows,
  ...Object.fromEntries(CONTINUOUS_AGGREGATES.map((name): [string, Rights] => [name, { reader: READ }])),
  partitions: { ...rows, archiver: READ },
  invalidations: rows,
  day_versions: rows,
  spool_reports: { writer: READ, reader: READ, ingest: WRITE },
  event_keys: books,
  distant_keys: books,
  order_keys: books,
  refund_keys: books,
  batch_ledger: books,
  visitor_sessions: books,
  visitor_salts: books,
  // What collectors hash visitor ids with; ingest hands it out.
  visitor_id_secret: { ingest: READ },
  stream_gaps: books,
  stream_rewinds: books,
  leases: books,
  aggregators: books,
  currency_rates: { writer: READ },
  erasures: { writer: READ, archiver: READ },
  erasure_removals: {},
  retention_progress: {},
  archive_positions: archive,
  archive_objects: archive,
  archive_gaps: archive,
  archive_rewinds: archive,
  archive_deletions: archive,
};

/** Who may ask for the merchant of an API key. */
const KEY_USERS = ["footfall_reader", "footfall_ingest"];

/** SQL that leaves each role with its rights and no others. */
export function grantsSql(): string {
  const all = USERS.join(", ");
  const lines = Object.entries(TABLES).flatMap(([table, rights]) => [
    `REVOKE ALL ON ${table} FROM ${all};`,
    ...Object.entries(rights).map(([user, right]) => `GRANT ${right} ON ${table} TO footfall_${user};`),
  ]);
  const schema = `GRANT USAGE ON SCHEMA public TO ${all};`;
  const keys = `GRANT EXECUTE ON FUNCTION merchant_of_key TO ${KEY_USERS.join(", ")};`;
  return [schema, ...lines, keys].join("\n");
}
