import { prepareForColumnstore } from "../decompression.ts";
import { KEY_SPAN_MS, NEAR_MS, RECEIVED_SPAN_MS } from "../distant-keys.ts";
import { type Client, type Pool, transaction } from "../pool.ts";

/**
 * Forgets the event keys of events that were received before a time (ms since 1970-01-01 UTC), whatever time is inside their
 * ids. Usual keys go with their chunk, whose times are about those of receiving. Distant ones (distant-keys.ts) go one by
 * one, each up to a week late, and outlive their chunk where they are younger than it.
 *
 * @returns how many chunks were dropped.
 */
export async function expireKeys(pool: Pool, before: number): Promise<number> {
  await pool.query("DELETE FROM event_keys WHERE key_time = to_timestamp(0) AND received_at < $1", [
    new Date(before),
  ]);
  await forgetDistant(pool, before);
  return dropChunks(pool, before);
}

/** Deletes distant event keys of weeks that are over, a span at a time. */
async function forgetDistant(pool: Pool, before: number): Promise<void> {
  const weeksBefore = new Date(before - RECEIVED_SPAN_MS);
  const { rows } = await pool.query<{ span: Date; merchants: number[] }>(
    `SELECT key_span AS span, array_agg(DISTINCT merchant_id) AS merchants FROM distant_keys
     WHERE received_week <= $1 GROUP BY key_span ORDER BY key_span`,
    [weeksBefore],
  );
  for (const { span, merchants } of rows) {
    await transaction(pool, async (client) => {
      await prepareForColumnstore(client);
      await client.query("DELETE FROM distant_keys WHERE key_span = $1 AND received_week <= $2", [
        span,
        weeksBefore,
      ]);
      await client.query(
        `DELETE FROM event_keys
         WHERE key_time >= $1 AND key_time < $2 AND merchant_id = ANY ($3::integer[]) AND received_at < $4`,
        [span, new Date(Number(span) + KEY_SPAN_MS), merchants, new Date(before)],
      );
    });
  }
}

/** A chunk of event_keys: its times, and whether it holds keys that outlive it, or others. */
interface Chunk {
  readonly from: Date;
  readonly to: Date;
  readonly survives: boolean;
}

const ENDED = `SELECT range_start AS from, range_end AS to,
    EXISTS (SELECT FROM distant_keys WHERE key_span > range_start - INTERVAL '28 days' AND key_span < range_end) AS survives
  FROM timescaledb_information.chunks
  WHERE hypertable_name = 'event_keys' AND range_start > to_timestamp(0) AND range_end <= $1
  ORDER BY range_start`;

async function dropChunks(pool: Pool, before: number): Promise<number> {
  const { rows } = await pool.query<Chunk>(ENDED, [new Date(before - NEAR_MS)]);
  let dropped = 0;
  for (const { from, to, survives } of rows) {
    if (survives && !(await hasUsualKeys(pool, from, to))) continue;
    await transaction(pool, (client) => dropChunk(client, from, to));
    dropped++;
  }
  return dropped;
}

async function hasUsualKeys(pool: Pool, from: Date, to: Date): Promise<boolean> {
  const { rowCount } = await pool.query(
    "SELECT FROM event_keys WHERE key_time >= $1 AND key_time < $2 AND received_at IS NULL LIMIT 1",
    [from, to],
  );
  return rowCount === 1;
}

/**
 * Drops a chunk, and writes the keys that outlive it anew: there are few, and a DELETE of all others would unpack them.
 * Nobody claims an id meanwhile: a claim that waited for this chunk would find it gone.
 */
async function dropChunk(client: Client, from: Date, to: Date): Promise<void> {
  await client.query("LOCK TABLE ONLY event_keys IN SHARE ROW EXCLUSIVE MODE");
  await client.query("CREATE TEMP TABLE surviving_keys (LIKE event_keys) ON COMMIT DROP");
  await client.query(
    `INSERT INTO surviving_keys SELECT * FROM event_keys
     WHERE key_time >= $1 AND key_time < $2 AND received_at IS NOT NULL AND merchant_id IN (
       SELECT merchant_id FROM distant_keys WHERE key_span > $1::timestamptz - INTERVAL '28 days' AND key_span < $2)`,
    [from, to],
  );
  await client.query(
    "SELECT drop_chunks('event_keys', older_than => $2::timestamptz, newer_than => $1::timestamptz)",
    [from, to],
  );
  await client.query("INSERT INTO event_keys SELECT * FROM surviving_keys");
  await client.query("DROP TABLE surviving_keys");
}
