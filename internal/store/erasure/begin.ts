import { type Client, type Pool, transaction } from "../pool.ts";
import { type Erasure, PERSON_COLUMNS, type PersonKind, type Subject } from "./subject.ts";

const COLUMNS = `erasure_id::float8 AS "erasureId", merchant_id AS "merchantId", person_kind AS kind, person_hash AS hash,
  partition_id AS partition, (extract(epoch FROM erased_through) * 1000)::float8 AS "erasedThrough"`;

/** $4: a time that it reaches at least, or null. */
const THROUGH = "greatest(date_trunc('milliseconds', clock_timestamp()), $4::timestamptz)";

const INSERT = `INSERT INTO erasures (merchant_id, person_kind, person_hash, erased_through, version, partition_id)
  VALUES ($1, $2, $3, ${THROUGH}, $5, $6) RETURNING ${COLUMNS}`;

/** $1 merchant, $2 kind, $3 hash. */
const IS_UNFINISHED = `merchant_id = $1 AND person_kind IS NOT DISTINCT FROM $2 AND person_hash IS NOT DISTINCT FROM $3
  AND finished_at IS NULL`;

const TAKE_UP = `UPDATE erasures SET erased_through = ${THROUGH}, version = $5
  WHERE ${IS_UNFINISHED} AND partition_id = $6
  RETURNING ${COLUMNS}`;

/**
 * Begins an erasure, or takes up one of the same subject that was not finished, which then reaches up to now. When it
 * returns, no event that the erasure is to remove can be stored any more, and a merchant's API keys are revoked.
 * @param partition the merchant's.
 */
export async function beginErasure(pool: Pool, subject: Subject, partition: number): Promise<Erasure> {
  const { merchantId, person } = subject;
  const ahead = await receivedAhead(pool, subject);
  return transaction(pool, async (client) => {
    const version = await nextVersion(client, partition);
    if (person === undefined) {
      await client.query(
        "UPDATE api_keys SET revoked_at = now() WHERE merchant_id = $1 AND coalesce(revoked_at > now(), true)",
        [merchantId],
      );
    }
    const values = [...valuesOf(subject), ahead, version, partition];
    const taken = await client.query<Row>(TAKE_UP, values);
    return erasureOf(taken.rows[0] ?? (await client.query<Row>(INSERT, values)).rows[0]!);
  });
}

type Row = Omit<Erasure, "person"> & { readonly kind: PersonKind | null; readonly hash: string | null };

function erasureOf({ kind, hash, ...row }: Row): Erasure {
  return { ...row, person: kind === null ? undefined : { kind, hash: BigInt(hash!) } };
}

function valuesOf({ merchantId, person }: Subject): unknown[] {
  return [merchantId, person?.kind ?? null, person?.hash ?? null];
}

/** Whether an erasure of a subject was begun and not finished. */
export async function isUnfinished(pool: Pool, subject: Subject): Promise<boolean> {
  const { rowCount } = await pool.query(`SELECT 1 FROM erasures WHERE ${IS_UNFINISHED}`, valuesOf(subject));
  return rowCount !== 0;
}

/** The latest time at which rows of the person were received by a collector whose clock is ahead: they go too. */
async function receivedAhead(pool: Pool, { merchantId, person }: Subject): Promise<Date | null> {
  if (person === undefined) return null;
  const { rows } = await pool.query<{ ahead: Date | null }>(
    `SELECT max(received_at) AS ahead FROM events
     WHERE merchant_id = $1 AND ${PERSON_COLUMNS[person.kind]} = $2 AND received_at > clock_timestamp()`,
    [merchantId, person.hash],
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
