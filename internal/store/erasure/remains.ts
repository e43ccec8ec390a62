import type { Pool } from "../pool.ts";
import type { Remains } from "./receipt.ts";
import type { Erasure } from "./subject.ts";

const EVENT_KEYS =
  "merchant, event id and the time inside it, nothing else: an erased event that is sent again stays a duplicate; gone 30 days after the retention";
const BATCHES =
  "batches as they came, in the partition's stream and in DEAD_LETTER; they go by age, and those that a collector's spool still brings as long after they came; none of it is stored again";
const RECEIPT =
  "this receipt: the merchant's id, the person's hash, times and counts, by which what comes again is left out";
const COPIES = "whatever copies of the database, of JetStream and of collectors' spools are kept";

/**
 * What a finished erasure leaves, and until when.
 * @param streamMaxAgeMs how long JetStream keeps batches.
 */
export async function remainsOf(pool: Pool, erasure: Erasure, streamMaxAgeMs: number): Promise<Remains[]> {
  const { rows } = await pool.query<{ objects: number }>(
    "SELECT count(*)::integer AS objects FROM archive_objects WHERE partition_id = $1",
    [erasure.partition],
  );
  const { objects } = rows[0]!;
  const archive = `${objects} objects of partition ${erasure.partition}, which may hold raw events until admin archive erase has rewritten them; a replay of them leaves the erased out`;
  return [
    { where: "JetStream", what: BATCHES, until: new Date(Date.now() + streamMaxAgeMs) },
    ...(objects > 0 ? [{ where: "archive", what: archive }] : []),
    ...(erasure.person === undefined ? [] : [{ where: "event_keys", what: EVENT_KEYS }]),
    { where: "erasures", what: RECEIPT },
    { where: "backups", what: COPIES },
  ];
}
