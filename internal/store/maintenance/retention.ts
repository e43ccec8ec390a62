import { CONTINUOUS_AGGREGATES } from "../continuous-aggregates.ts";
import { DAY_MS } from "../day.ts";
import { raiseVersionsSql } from "../day-versions.ts";
import { prepareForColumnstore } from "../decompression.ts";
import { invalidateSql } from "../invalidations.ts";
import { type Pool, transaction } from "../pool.ts";
import { expireVisitors } from "./expire-visitors.ts";
import { expireKeys } from "./key-retention.ts";

/**
 * How long after the longest retention a row of the books goes: dedup keys and ledger lines must outlive every copy of what
 * they stand for, which a collector's spool or a broker may bring late. Days.
 */
const MARGIN_DAYS = 30;

/**
 * Batch ids without a time inside have their ledger lines at the epoch, however new they are: that chunk stays, and its
 * rows go by when they were written.
 */
const AFTER_EPOCH = new Date("1971-01-01T00:00:00Z");

/**
 * Longest bucket of a continuous aggregate, days. A cell stands in the chunk of its start, and may hold younger rows
 * than that chunk's end; cells of rows that are gone are removed by their refresh, chunk or not.
 */
const BUCKET_DAYS = 28;

/** What goes chunk by chunk after the rows, and how much longer it is kept. */
const TABLES = [
  ...CONTINUOUS_AGGREGATES.map((table) => ({ table, marginDays: BUCKET_DAYS, from: null })),
  { table: "visitor_sessions", marginDays: 1, from: null },
  { table: "batch_ledger", marginDays: MARGIN_DAYS, from: AFTER_EPOCH },
];

/** Marks quarter hours, a select of `bucket`, in every partition. */
const invalidate = (buckets: string) =>
  invalidateSql(`SELECT bucket, partition_id FROM partitions CROSS JOIN (${buckets}) written`);

/** Raises the versions of all days in [$1, $2) that were ever written to. */
const RAISE_BETWEEN = raiseVersionsSql(
  `SELECT day::timestamp AT TIME ZONE 'UTC' AS time, partition_id FROM day_versions
   WHERE day >= ($1::timestamptz AT TIME ZONE 'UTC')::date AND day::timestamp AT TIME ZONE 'UTC' < $2`,
);

/** Raises the versions of days in every partition, by times within them. */
const RAISE = raiseVersionsSql(
  "SELECT time, partition_id FROM partitions CROSS JOIN unnest($1::timestamptz[]) AS time",
);

/** What retention took away. */
export interface Expired {
  /** Chunks dropped as a whole, since no merchant keeps rows that old. */
  readonly chunks: number;
  /** Rows of merchants that keep less than others. */
  readonly rows: number;
  /** Visitors of whom no event is left. */
  readonly visitors: number;
}

/**
 * Forgets what is older than its merchant's retention, as of a time (ms since 1970-01-01 UTC): whole chunks that are
 * older than the longest retention, and rows in the others. Continuous aggregates lose the same quarter hours.
 */
export async function expire(pool: Pool, now: number): Promise<Expired> {
  const longest = await longestRetention(pool);
  if (longest === undefined) return { chunks: 0, rows: 0, visitors: 0 };
  let chunks = await dropRows(pool, new Date(now - longest * DAY_MS));
  for (const { table, marginDays, from } of TABLES) {
    const before = new Date(now - (longest + marginDays) * DAY_MS);
    const { rowCount } = await pool.query(
      "SELECT drop_chunks($1::regclass, older_than => $2::timestamptz, newer_than => $3::timestamptz)",
      [table, before, from],
    );
    chunks += rowCount ?? 0;
  }
  const booksBefore = now - (longest + MARGIN_DAYS) * DAY_MS;
  chunks += await expireKeys(pool, booksBefore);
  await expireBooks(pool, new Date(booksBefore));
  const rows = await expireRows(pool, now, longest);
  return { chunks, rows, visitors: await expireVisitors(pool, now) };
}

/**
 * Drops the chunks of raw rows that ended before a time. Those of the aggregates are longer, and hold cells of what is
 * gone for weeks: their quarter hours are refreshed like any others that were written to.
 */
function dropRows(pool: Pool, before: Date): Promise<number> {
  return transaction(pool, async (client) => {
    const { rows } = await client.query<{ from: Date | null; to: Date | null }>(
      `SELECT min(range_start) AS "from", max(range_end) AS "to" FROM timescaledb_information.chunks
       WHERE hypertable_name IN ('events', 'items') AND range_end <= $1`,
      [before],
    );
    const { from, to } = rows[0]!;
    if (from === null) return 0;
    // Both in one transaction: an aggregate over items is refreshed when no part of an event is left.
    const { rowCount } = await client.query(
      `SELECT drop_chunks('events', older_than => $1::timestamptz)
       UNION ALL SELECT drop_chunks('items', older_than => $1::timestamptz)`,
      [before],
    );
    await client.query(
      invalidate("SELECT DISTINCT bucket FROM totals_15m WHERE bucket >= $1 AND bucket < $2"),
      [from, to],
    );
    await client.query(RAISE_BETWEEN, [from, to]);
    return rowCount ?? 0;
  });
}

/** Dedup keys and ledger lines that stand in no chunk of their time. */
async function expireBooks(pool: Pool, before: Date): Promise<void> {
  await pool.query("DELETE FROM order_keys WHERE ts < $1", [before]);
  await pool.query("DELETE FROM refund_keys WHERE ts < $1", [before]);
  await pool.query("DELETE FROM batch_ledger WHERE batch_time = to_timestamp(0) AND committed_at < $1", [
    before,
  ]);
}

async function longestRetention(pool: Pool): Promise<number | undefined> {
  const { rows } = await pool.query<{ days: number | null }>(
    "SELECT max(retention_days) AS days FROM merchants",
  );
  return rows[0]?.days ?? undefined;
}

/** Late rows may come in behind the line that was drawn; they are met again for this long, days. */
const OVERLAP_DAYS = 2;

async function expireRows(pool: Pool, now: number, longest: number): Promise<number> {
  const { rows } = await pool.query<{ days: number; through: Date | null }>(
    `SELECT DISTINCT m.retention_days AS days, p.expired_through AS through
     FROM merchants m LEFT JOIN retention_progress p USING (retention_days)
     WHERE m.retention_days < $1`,
    [longest],
  );
  let expired = 0;
  for (const { days, through } of rows) {
    const before = now - days * DAY_MS;
    const from = through === null ? undefined : Number(through) - OVERLAP_DAYS * DAY_MS;
    // Once a day: each time costs the columnstore of the chunk at the line a rewrite.
    if (through !== null && before - Number(through) < DAY_MS) continue;
    expired += await expireClass(pool, { days, from, before });
  }
  return expired;
}

interface Line {
  readonly days: number;
  /** Ms; undefined the first time. */
  readonly from: number | undefined;
  readonly before: number;
}

/** Deletes rows of merchants with one retention in [from, before), and has their quarter hours refreshed. */
function expireClass(pool: Pool, { days, from, before }: Line): Promise<number> {
  const values = [days, from === undefined ? new Date(0) : new Date(from), new Date(before)];
  return transaction(pool, async (client) => {
    await prepareForColumnstore(client);
    const { rows } = await client.query<{ expired: number; buckets: Date[] | null }>(
      `WITH gone AS (
         DELETE FROM events e USING merchants m
         WHERE m.retention_days = $1 AND e.merchant_id = m.merchant_id AND e.ts >= $2 AND e.ts < $3
         RETURNING time_bucket(INTERVAL '15 minutes', e.ts) AS bucket
       ), stale AS (
         ${invalidate("SELECT DISTINCT bucket FROM gone")}
       )
       SELECT count(*)::integer AS expired, array_agg(DISTINCT bucket) AS buckets FROM gone`,
      values,
    );
    const { expired, buckets } = rows[0]!;
    await client.query(RAISE, [buckets]);
    await client.query(
      `DELETE FROM items i USING merchants m
       WHERE m.retention_days = $1 AND i.merchant_id = m.merchant_id AND i.ts >= $2 AND i.ts < $3`,
      values,
    );
    await client.query(
      `INSERT INTO retention_progress VALUES ($1, $2)
       ON CONFLICT (retention_days) DO UPDATE SET expired_through = excluded.expired_through`,
      [days, new Date(before)],
    );
    return expired;
  });
}
