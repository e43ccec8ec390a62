-- When JetStream stored the batch at stream_seq: what tells that the stream still is the one that was read. Null for
-- a position of before this migration.
ALTER TABLE partitions ADD COLUMN stream_stored_at timestamptz;

-- Streams that were not what had been committed of them any more: the broker had lost batches, or the whole stream,
-- and gave their sequences to new ones. The position went back; the ledger knows what comes again. Empty in good
-- times.
CREATE TABLE stream_rewinds (
  partition_id integer NOT NULL,
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (partition_id, seen_at)
);
