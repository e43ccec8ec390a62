import { copyRows } from "./copy-rows.ts";
import { CopyWriter } from "./copy-writer.ts";
import { LIMIT_DECOMPRESSION, prepareForColumnstore, TOO_MUCH_UNPACKED } from "./decompression.ts";
import { DistantKeys, isDistant } from "./distant-keys.ts";
import type { EventColumns } from "./event-columns.ts";
import { inIndexOrder } from "./key-order.ts";
import { type Client, hasSqlState } from "./pool.ts";

const ID_BYTES = 16;
const KEY_FIELDS = 4;
const COPY_KEYS = "COPY event_keys (key_time, merchant_id, event_id, received_at) FROM STDIN (FORMAT binary)";
const UNIQUE_VIOLATION = "23505";

/**
 * What a COPY fails with that meets a stored id. Where the id is in the columnstore, TimescaleDB 2.22 unpacks its
 * segment into the rows before it looks, a segment for each such id: the limit ends that at the first one.
 */
const COPIES = [UNIQUE_VIOLATION, TOO_MUCH_UNPACKED];

/** Events of one batch and, to be filled, which of its rows are stored already. */
export interface Claim {
  readonly columns: EventColumns;
  /**
   * Set to 1 for each row whose event is stored, or stands earlier in the same transaction. Rows that are 1 already
   * are not to be written for another reason: their ids are not claimed.
   */
  readonly duplicates: Uint8Array;
}

/**
 * Claims the ids of all events in a transaction, and marks those that were claimed before. The usual case,
 * nothing stored yet, is one COPY; only when that meets a known id are the ids put in one by one. The limit of unpacking
 * stays lowered in the transaction (decompression.ts).
 *
 * An id that was stored in a chunk which is in the columnstore is refused like any other. A claim waits for a
 * conversion of a chunk that it has ids of, and the other way round (maintenance/columnstore.ts): whichever comes
 * first, the other sees its rows.
 */
export async function claimEvents(client: Client, claims: readonly Claim[]): Promise<void> {
  const writer = encodeKeys(claims);
  if (writer.rows === 0) return;
  await client.query(`SAVEPOINT claim; ${LIMIT_DECOMPRESSION}`);
  try {
    await copyRows(client, COPY_KEYS, writer);
    await client.query("RELEASE SAVEPOINT claim");
  } catch (error) {
    if (!COPIES.some((state) => hasSqlState(error, state))) throw error;
    await client.query("ROLLBACK TO SAVEPOINT claim");
    await claimOneByOne(client, claims);
  }
  await noteDistant(client, claims);
}

function encodeKeys(claims: readonly Claim[]): CopyWriter {
  const writer = new CopyWriter();
  const ordered = inIndexOrder(claims);
  for (let at = 0; at < ordered.length; at += 2) {
    const { columns } = claims[ordered[at]!]!;
    const row = ordered[at + 1]!;
    const time = columns.keyTimes[row]!;
    const received = columns.receivedTime.get(row);
    writer.row(KEY_FIELDS);
    writer.timestamp(time);
    writer.int4(columns.merchantIds[row]!);
    writer.bytes(columns.eventIds, row * ID_BYTES, (row + 1) * ID_BYTES);
    if (time === 0 || isDistant(time, received)) writer.timestamp(received);
    else writer.null();
  }
  return writer;
}

const INSERT_KEYS = `INSERT INTO event_keys (key_time, merchant_id, event_id, received_at)
  SELECT key_time, merchant_id, event_id, received_at FROM incoming_keys
  ON CONFLICT DO NOTHING
  RETURNING merchant_id, encode(uuid_send(event_id), 'hex') AS id`;

async function claimOneByOne(client: Client, claims: readonly Claim[]): Promise<void> {
  await client.query("CREATE TEMP TABLE incoming_keys (LIKE event_keys) ON COMMIT DROP");
  const writer = encodeKeys(claims);
  await copyRows(client, COPY_KEYS.replace("event_keys", "incoming_keys"), writer);
  // It looks into segments without unpacking them; a release that does unpack must come to its end all the same.
  await prepareForColumnstore(client);
  const { rows } = await client.query<{ merchant_id: number; id: string }>(INSERT_KEYS);
  await client.query("DROP TABLE incoming_keys");
  // Of several copies in this transaction the first takes the claim away from this set.
  const claimed = new Set(rows.map(({ merchant_id, id }) => `${merchant_id} ${id}`));
  for (const { columns, duplicates } of claims) {
    const hex = Buffer.from(columns.eventIds.buffer, columns.eventIds.byteOffset, columns.eventIds.length);
    for (let row = 0; row < columns.rows; row++) {
      if (Number.isNaN(columns.keyTimes[row]) || duplicates[row] === 1) continue;
      const id = hex.toString("hex", row * ID_BYTES, (row + 1) * ID_BYTES);
      if (!claimed.delete(`${columns.merchantIds[row]} ${id}`)) duplicates[row] = 1;
    }
  }
}

/** Notes the distant ones of the keys that were claimed. */
async function noteDistant(client: Client, claims: readonly Claim[]): Promise<void> {
  const distant = new DistantKeys();
  for (const { columns, duplicates } of claims) {
    for (let row = 0; row < columns.rows; row++) {
      const time = columns.keyTimes[row]!;
      if (Number.isNaN(time) || time === 0 || duplicates[row] === 1) continue;
      const received = columns.receivedTime.get(row);
      if (isDistant(time, received)) distant.add(columns.merchantIds[row]!, time, received);
    }
  }
  await distant.write(client);
}
