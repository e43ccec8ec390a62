import { statfsSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { Failure } from "../../failure/failure.ts";
import { openDatabase, truncateLog } from "./open-database.ts";

/** A sealed batch, as it travels, on its way into the spool. */
export interface SpoolBatch {
  readonly batchId: Uint8Array;
  readonly partition: number;
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/** A batch of the spool. Positions grow in the order in which batches came. */
export interface SpooledBatch extends SpoolBatch {
  readonly position: number;
}

/** What the spool holds. */
export interface Totals {
  /** Batches that wait to be drained. */
  readonly batches: number;
  /** In the batches that wait. */
  readonly events: number;
  /** Of all batches, the damaged ones included. */
  readonly bytes: number;
  /** When the oldest of them came, ms since 1970-01-01 UTC. */
  readonly oldestTime: number | undefined;
  /** Batches that were found damaged, and are kept apart. */
  readonly damaged: number;
}

/** What the spool holds of one partition. */
export interface HeldBack {
  readonly partition: number;
  readonly events: number;
  /** When the first of its batches came, just before its events were acknowledged; ms since 1970-01-01 UTC. */
  readonly oldestTime: number;
}

/** What goes to disk in one transaction. */
export interface Change {
  readonly insert: readonly SpoolBatch[];
  /** Positions. */
  readonly remove: readonly number[];
  /** Ms since 1970-01-01 UTC. */
  readonly time: number;
}

export interface ReadOptions {
  /** Only batches beyond this position ... */
  readonly after: number;
  /** ... and none of these positions. */
  readonly skip: readonly number[];
  readonly maxBatches: number;
  /** At least one batch is read, whatever its size. */
  readonly maxBytes: number;
}

export interface Read {
  readonly batches: SpooledBatch[];
  /** What was found damaged, and moved to damaged_batches. */
  readonly damaged: { readonly batchId: string; readonly problem: string }[];
  /** All up to here, and beyond `after`, was looked at. */
  readonly upTo: number;
}

export interface StoreOptions {
  readonly dir: string;
  /** Disk space that is left to others: what would go below it is refused. */
  readonly minFreeBytes: number;
}

/** So long at most deleted batches stay in the log of a spool that is never empty, ms, if it is written to at all. */
const LOG_MS = 10_000;

/** An empty spool gives a file larger than this back to the system, bytes. */
const SHRINK_BYTES = 16 << 20;

interface Row {
  readonly position: number;
  readonly batch_id: Uint8Array;
  readonly partition: number;
  readonly rows: number;
  readonly checksum: number;
  readonly bytes: Uint8Array;
}

/**
 * The spool's database file. Everything is synchronous and a change is on disk when `apply` returns
 * (WAL, synchronous = FULL): it is used from a thread of its own.
 */
export class SpoolStore {
  readonly #options: StoreOptions;
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #keepDamaged: StatementSync;
  readonly #read: StatementSync;
  readonly #oldest: StatementSync;
  #next: number;
  #batches: number;
  #events: number;
  #bytes: number;
  #damaged: number;
  /** When the log was last cut, ms since 1970-01-01 UTC. */
  #cutTime = 0;
  readonly #heldBack: StatementSync;
  /** 16 bytes that stay with the file. */
  readonly id: Uint8Array;

  /** Opens or makes the spool of a folder. @throws Failure when it is in use, newer than this or unreadable. */
  constructor(options: StoreOptions) {
    this.#options = options;
    const db = openDatabase(options.dir);
    this.#db = db;
    this.#insert = db.prepare("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#remove = db.prepare(
      "DELETE FROM batches WHERE position = ? RETURNING rows, length(bytes) AS bytes",
    );
    this.#keepDamaged = db.prepare("INSERT INTO damaged_batches SELECT *, ? FROM batches WHERE position = ?");
    this.#read = db.prepare("SELECT * FROM batches WHERE position > ? ORDER BY position");
    this.#oldest = db.prepare("SELECT spooled_time AS time FROM batches ORDER BY position LIMIT 1");
    this.#heldBack = db.prepare(
      "SELECT partition, sum(rows) AS events, min(spooled_time) AS oldestTime FROM batches GROUP BY partition",
    );
    this.id = (db.prepare("SELECT id FROM spool").get() as { id: Uint8Array }).id;
    const held = contents(db, "batches");
    const damaged = contents(db, "damaged_batches");
    this.#batches = held.batches;
    this.#events = held.events;
    this.#damaged = damaged.batches;
    this.#bytes = held.bytes + damaged.bytes;
    this.#next = Math.max(held.last, damaged.last) + 1;
  }

  get totals(): Totals {
    const oldest = this.#oldest.get() as { time: number } | undefined;
    return {
      batches: this.#batches,
      events: this.#events,
      bytes: this.#bytes,
      oldestTime: oldest?.time,
      damaged: this.#damaged,
    };
  }

  /**
   * Puts batches in and takes others out, in one transaction.
   * @returns the positions of those put in.
   * @throws Failure exhausted when the disk is full; nothing was done then.
   */
  apply({ insert, remove, time }: Change): number[] {
    this.#checkDisk(insert);
    let [next, batches, events, bytes] = [this.#next, this.#batches, this.#events, this.#bytes];
    const positions: number[] = [];
    this.#transaction(() => {
      for (const position of remove) {
        const removed = this.#remove.get(position) as { rows: number; bytes: number } | undefined;
        if (removed === undefined) continue;
        batches--;
        events -= removed.rows;
        bytes -= removed.bytes;
      }
      for (const batch of insert) {
        const { batchId, partition, rows } = batch;
        this.#insert.run(next, batchId, partition, rows, time, crc32(batch.bytes), batch.bytes);
        positions.push(next++);
        batches++;
        events += rows;
        bytes += batch.bytes.length;
      }
    });
    [this.#next, this.#batches, this.#events, this.#bytes] = [next, batches, events, bytes];
    const isDue = remove.length > 0 && Math.abs(time - this.#cutTime) >= LOG_MS;
    if (isDue && truncateLog(this.#db)) this.#cutTime = time;
    return positions;
  }

  /** What is held of each partition, damaged batches left out. */
  heldBack(): HeldBack[] {
    return this.#heldBack.all().map((row) => ({ ...(row as unknown as HeldBack) }));
  }

  /** The oldest batches beyond a position, each verified; damaged ones are moved away instead. */
  read({ after, skip, maxBatches, maxBytes }: ReadOptions): Read {
    const skipped = new Set(skip);
    const batches: SpooledBatch[] = [];
    const broken: { row: Row; problem: string }[] = [];
    let size = 0;
    let upTo = after;
    for (const found of this.#read.iterate(after)) {
      const row = found as unknown as Row;
      if (!skipped.has(row.position)) {
        if (batches.length > 0 && size + row.bytes.length > maxBytes) break;
        const problem = damage(row);
        if (problem !== undefined) broken.push({ row, problem });
        else {
          const { position, batch_id: batchId, partition, rows, bytes } = row;
          batches.push({ position, batchId, partition, rows, bytes });
          size += bytes.length;
        }
      }
      upTo = row.position;
      if (batches.length >= maxBatches) break;
    }
    this.#moveDamaged(broken);
    const damaged = broken.map(({ row, problem }) => ({ batchId: hex(row.batch_id), problem }));
    return { batches, damaged, upTo };
  }

  /** Leaves nothing of what an empty spool held in its files, and gives the space of a large one back. */
  clear(): void {
    if (this.#batches > 0) return;
    const { size } = this.#db
      .prepare("SELECT page_count * page_size AS size FROM pragma_page_count, pragma_page_size")
      .get() as { size: number };
    if (size > SHRINK_BYTES) this.#db.exec("VACUUM");
    truncateLog(this.#db);
  }

  /** May be called again. */
  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #moveDamaged(broken: readonly { row: Row; problem: string }[]): void {
    if (broken.length === 0) return;
    this.#transaction(() => {
      for (const { row, problem } of broken) {
        this.#keepDamaged.run(problem, row.position);
        this.#remove.get(row.position);
      }
    });
    this.#batches -= broken.length;
    this.#events -= broken.reduce((sum, { row }) => sum + row.rows, 0);
    this.#damaged += broken.length;
  }

  #transaction(work: () => void): void {
    const db = this.#db;
    try {
      db.exec("BEGIN IMMEDIATE");
      work();
      db.exec("COMMIT");
    } catch (error) {
      // After some errors SQLite has rolled back by itself.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw toFailure(error);
    }
  }

  /** A disk is never filled to its end: on a full one nothing could be deleted either, the log needs room. */
  #checkDisk(insert: readonly SpoolBatch[]): void {
    if (insert.length === 0) return;
    const { bavail, bsize } = statfsSync(this.#options.dir);
    const free = bavail * bsize;
    // Each byte is written twice: to the log, and from there to the file.
    const needed = 2 * insert.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (free >= this.#options.minFreeBytes + needed) return;
    const message = `spool: ${free} bytes of the disk are free, ${this.#options.minFreeBytes} are left to others`;
    throw new Failure("exhausted", message);
  }
}

function contents(db: DatabaseSync, table: "batches" | "damaged_batches") {
  const sql = `SELECT count(*) AS batches, coalesce(sum(rows), 0) AS events, coalesce(sum(length(bytes)), 0) AS bytes,
    coalesce(max(position), 0) AS last FROM ${table}`;
  return db.prepare(sql).get() as { batches: number; events: number; bytes: number; last: number };
}

/** What is wrong with a row. The checksum is over the whole envelope, so that it covers id and partition too. */
function damage({ bytes, checksum }: Row): string | undefined {
  const found = crc32(bytes);
  return found === checksum ? undefined : `checksum: ${checksum}, but the bytes' is ${found}`;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** SQLITE_FULL: the disk is full, or the file has reached its most pages. */
const FULL = 13;

function toFailure(cause: unknown): Failure {
  const { errcode, message } = cause as Error & { errcode?: number };
  const kind = errcode === FULL ? "exhausted" : "unavailable";
  return new Failure(kind, `spool: ${message}`, { cause });
}
