import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Failure } from "../../failure/failure.ts";

/** Version of the tables; a file of a later one is refused. */
const VERSION = 1;

const TABLES = `
  CREATE TABLE batches (
    position INTEGER PRIMARY KEY,
    batch_id BLOB NOT NULL,
    partition INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    spooled_time INTEGER NOT NULL, -- ms since 1970-01-01 UTC
    checksum INTEGER NOT NULL, -- CRC-32 of bytes
    bytes BLOB NOT NULL -- SealedBatch, as it travels
  ) STRICT;
  CREATE TABLE damaged_batches (
    position INTEGER PRIMARY KEY,
    batch_id BLOB NOT NULL,
    partition INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    spooled_time INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    problem TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = ${VERSION};
`;

/** What files of this version may lack, and older collectors do not mind. */
const ADDED = `
  -- Names the spool, wherever its file goes.
  CREATE TABLE IF NOT EXISTS spool (id BLOB NOT NULL) STRICT;
  INSERT INTO spool SELECT randomblob(16) WHERE NOT EXISTS (SELECT * FROM spool);
  -- What is held by partition is asked once a second: without looking at the batches themselves.
  CREATE INDEX IF NOT EXISTS batches_by_partition ON batches (partition, rows, spooled_time);
`;

/** How long a collector that is just ending may still hold the lock, ms. */
const LOCK_WAIT_MS = 2_000;

/** SQLite's result codes. */
const BUSY = 5;

/**
 * Leaves nothing of what was deleted in the log: it goes to the file, and is cut to nothing.
 * @returns whether it could; on a full disk it cannot, and is to be tried again.
 */
export function truncateLog(db: DatabaseSync): boolean {
  try {
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return true;
  } catch {
    return false;
  }
}

/** Makes folder and file such that only this user can look into them; SQLite's log has the file's mode. */
function makePrivate(dir: string, file: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // A volume's root may be another's; nobody else can read the file there either.
  if (statSync(dir).uid === process.getuid?.()) chmodSync(dir, 0o700);
  closeSync(openSync(file, "a", 0o600));
  for (const name of [file, `${file}-wal`]) if (existsSync(name)) chmodSync(name, 0o600);
}

/**
 * Opens the database file of a spool, or makes it, and locks it until it is closed or the process ends.
 * @throws Failure that names the file: it is in use, of a later version, or cannot be read.
 */
export function openDatabase(dir: string): DatabaseSync {
  const file = join(dir, "spool.db");
  let db: DatabaseSync | undefined;
  try {
    makePrivate(dir, file);
    db = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
    // The lock comes with the first look at the file, and stays. A log that is much too long is cut.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    // What is deleted is overwritten, and nothing is put aside in files elsewhere.
    db.exec(`PRAGMA journal_size_limit = ${8 << 20}; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY`);
    makeTables(db, file);
    // A process that was killed has left what it deleted in its log.
    truncateLog(db);
    // A new file must be in its folder after a loss of power, and the folder in its own.
    for (const folder of [dir, dirname(dir)]) syncFolder(folder);
    return db;
  } catch (error) {
    db?.close();
    throw refusal(file, error);
  }
}

function makeTables(db: DatabaseSync, file: string): void {
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version > VERSION) {
    const message = `spool ${file}: has version ${version}, this collector knows ${VERSION}: start a newer one`;
    throw new Failure("invalid", message);
  }
  // Also takes the lock when there is nothing to make.
  db.exec("BEGIN EXCLUSIVE");
  if (version === 0) db.exec(TABLES);
  db.exec(ADDED);
  db.exec("COMMIT");
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function refusal(file: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  const { errcode, message } = cause as Error & { errcode?: number };
  if (errcode === BUSY)
    return new Failure("invalid", `spool ${file}: is in use by another collector`, { cause });
  return new Failure("invalid", `spool ${file}: cannot be opened: ${message}`, { cause });
}
