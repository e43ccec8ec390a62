import { type Client, type Pool, transaction } from "../pool.ts";
import type { Erasure, Subject } from "./subject.ts";

const COLUMNS = `erasure_id::float8 AS "erasureId", merchant_id AS "merchantId", visitor_id AS "visitorId",
  partition_id AS partition, (extract(epoch FROM erased_through) * 1000)::float8 AS "erasedThrough"`;

/** $3: a time that it reaches at least, or null. */
const THROUGH = "greatest(date_trunc('milliseconds', clock_timestamp()), $3::timestamptz)";

const INSERT = `INSERT INTO erasures (merchant_id, visitor_id, erased_through, version, partition_id)
  VALUES ($1, $2, ${THROUGH}, $4, $5) RETURNING ${COLUMNS}`;

const TAKE_UP = `UPDATE erasures SET erased_through = ${THROUGH}, version = $4
  WHERE merchant_id = $1 AND visitor_id IS NOT DISTINCT FROM $2 AND partition_id = $5 AND finished_at IS NULL
  RETURNING ${COLUMNS}`;

/**
 * Begins an erasure, or takes up one of the same subject that was not finished, which then reaches up to now. When it
 * returns, no event that the erasure is to remove can be stored any more, and a merchant's keys are revoked.
 * @param partition the merchant's.
 */
export async function beginErasure(pool: Pool, subject: Subject, partition: number): Promise<Erasure> {
  const { merchantId, visitorId } = subject;
  const ahead = await receivedAhead(pool, subject);
  return transaction(pool, async (client) => {
    const version = await nextVersion(client, partition);
    if (visitorId === undefined) {
      await client.query(
        "UPDATE api_keys SET revoked_at = now() WHERE merchant_id = $1 AND coalesce(revoked_at > now(), true)",
        [merchantId],
      );
    }
    const values = [merchantId, visitorId ?? null, ahead, version, partition];
    const taken = await client.query<Row>(TAKE_UP, values);
    return erasureOf(taken.rows[0] ?? (await client.query<Row>(INSERT, values)).rows[0]!);
  });
}

type Row = Omit<Erasure, "visitorId"> & { readonly visitorId: string | null };

function erasureOf(row: Row): Erasure {
  return { ...row, visitorId: row.visitorId === null ? undefined : BigInt(row.visitorId) };
}

/** Whether an erasure of a subject was begun and not finished. */
export async function isUnfinished(pool: Pool, { merchantId, visitorId }: Subject): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT 1 FROM erasures
     WHERE merchant_id = $1 AND visitor_id IS NOT DISTINCT FROM $2 AND finished_at IS NULL`,
    [merchantId, visitorId ?? null],
  );
  return rowCount !== 0;
}

/** The latest time at which rows of the visitor were received by a collector whose clock is ahead: they go too. */
async function receivedAhead(pool: Pool, { merchantId, visitorId }: Subject): Promise<Date | null> {
  if (visitorId === undefined) return null;
  const { rows } = await pool.query<{ ahead: Date | null }>(
    `SELECT max(received_at) AS ahead FROM events
     WHERE merchant_id = $1 AND visitor_id = $2 AND received_at > clock_timestamp()`,
    [merchantId, visitorId],
  );
  return rows[0]!.ahead;
}

/**
 * Locks the partition's row: waits for the commit that is under way there. The next one sees the new version, and
 * reads the tombstone before it writes a row. A version is made of the time, so that a database which was restored
 * does not give one a second time.
 */
async function nextVersion(client: Client, partition: number): Promise<string> {
  const { rows } = await client.query<{ version: string }>(
    `UPDATE partitions
     SET erasure_version = greatest(erasure_version + 1, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint)
     WHERE partition_id = $1 RETURNING erasure_version AS version`,
    [partition],
  );
  return rows[0]!.version;
}
