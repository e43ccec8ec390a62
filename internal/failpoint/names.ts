/**
 * Every failpoint, by the boundary that it stands before or behind. What holds for the rest of the installation
 * when the process dies there:
 *
 * - `spool-fsync` (collector): batches are about to be written to the spool, or are on the disk there.
 * - `spool-delete` (collector): ingest has acked batches of the spool, which are still there, or just gone.
 * - `client-ack` (collector): the batch is safe, and the answer to the SDK's request is about to go, or is gone.
 * - `publish` (ingest): the batch is checked and about to go to JetStream, or given to the connection.
 * - `jetstream-ack` (ingest): JetStream has the batch; its ack has come, and is not yet or just now believed.
 * - `batch-ack` (ingest): the answer to the collector is about to go, or is gone.
 * - `copy` (aggregator): within the transaction, before the event keys and behind the rows.
 * - `commit` (aggregator): all is written, COMMIT is about to be sent, or has been answered.
 * - `stream-ack` (aggregator): the commit stands, JetStream is about to be told, or has been.
 * - `refresh` (aggregator): invalid buckets are known, and the aggregates over them are not yet or just now
 *   refreshed; the buckets are still marked as invalid.
 * - `archive-put` (archiver): an object is about to be put into the archive, or is there.
 */
export const BOUNDARIES = {
  "spool-fsync": "collector",
  "spool-delete": "collector",
  "client-ack": "collector",
  publish: "ingest",
  "jetstream-ack": "ingest",
  "batch-ack": "ingest",
  copy: "aggregator",
  commit: "aggregator",
  "stream-ack": "aggregator",
  refresh: "aggregator",
  "archive-put": "archiver",
} as const;

export type Boundary = keyof typeof BOUNDARIES;
export type Failpoint = `${Boundary}.${"before" | "after"}`;

/** The closed list, in the order in which an event passes them. */
export const FAILPOINTS: readonly Failpoint[] = (Object.keys(BOUNDARIES) as Boundary[]).flatMap(
  (boundary) => [`${boundary}.before`, `${boundary}.after`] as const,
);
