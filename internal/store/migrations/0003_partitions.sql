-- What is committed of each partition's stream, who works it, and what was lost.

-- Where each partition stands. stream_seq is the last JetStream sequence whose effect is committed: a writer
-- moves it from the value it knows, so that of two writers only one can commit.
CREATE TABLE partitions (
  partition_id integer PRIMARY KEY,
  stream_seq bigint NOT NULL DEFAULT 0,
  -- When JetStream stored the batch at stream_seq: what tells that the stream still is the one that was read. Null
  -- before the first batch.
  stream_stored_at timestamptz,
  -- Every batch that JetStream stored before this time is committed: what reports call data_through.
  committed_through timestamptz,
  -- ... and is in the continuous aggregates.
  refreshed_through timestamptz,
  -- Rises with each erasure in the partition. A writer reads it as it moves the position, and so as it locks the row:
  -- whichever of a commit and an erasure comes first, the other sees it.
  erasure_version bigint NOT NULL DEFAULT 0
);

-- What tells that a partition's events or items of a UTC day have changed: each transaction that writes some raises it
-- (store/day-versions.ts). Rows stay for good: a sum of versions never falls.
CREATE TABLE day_versions (
  partition_id integer NOT NULL,
  day date NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (partition_id, day)
) WITH (fillfactor = 50);

-- One line a batch, written in the transaction of its rows. batch_time is the time inside the batch id.
CREATE TABLE batch_ledger (
  batch_time timestamptz NOT NULL,
  batch_id uuid NOT NULL,
  partition_id integer NOT NULL,
  stream_seq bigint NOT NULL,
  collector_id text NOT NULL,
  rows integer NOT NULL,
  stored integer NOT NULL,
  duplicates integer NOT NULL,
  dead_lettered integer NOT NULL,
  -- Rows that were left out because their visitor or merchant is erased. Nothing of them is kept.
  erased integer NOT NULL DEFAULT 0,
  checksum bigint NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT now(),
  CHECK (rows = stored + duplicates + dead_lettered + erased),
  PRIMARY KEY (batch_id, batch_time)
);
SELECT create_hypertable('batch_ledger', by_range('batch_time', INTERVAL '7 days'), create_default_indexes => false);

-- Sequences that a partition's stream no longer had when its aggregator came to them: lost events, which an
-- operator must hear of. Empty in good times.
CREATE TABLE stream_gaps (
  partition_id integer NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (partition_id, first_seq)
);

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

-- The aggregators of this installation, one row a process. All times are this database's now(), so that the clock of a
-- process changes nothing. Leases decide who should work; that only one can commit is up to partitions.stream_seq.
CREATE TABLE aggregators (
  instance_id uuid PRIMARY KEY,
  -- The partitions that it may work; null for all.
  candidates integer[],
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  -- Until then it gets a share of the partitions, longer if it is seen again.
  alive_until timestamptz NOT NULL
);

-- What only one aggregator does at a time: partition/<n>, and refresher/<TimescaleDB server>. A table of its own, so that renewing
-- does not wait for commits, which hold the rows of partitions.
CREATE TABLE leases (
  resource text PRIMARY KEY,
  -- Null: given back.
  owner_id uuid,
  acquired_at timestamptz,
  until timestamptz,
  CHECK ((owner_id IS NULL) = (until IS NULL))
) WITH (fillfactor = 50);

-- What collectors have told of their spools: events that were acknowledged and are not in any stream yet. A report's
-- data_through stays behind them. A collector that vanished with its spool remains here until it tells again, or an
-- operator forgets it (admin spools forget).
CREATE TABLE spool_reports (
  -- The spool's own, from its file: a spool that moves to another host stays the same.
  spool_id uuid NOT NULL,
  partition_id integer NOT NULL,
  -- For people.
  collector_id text NOT NULL,
  events bigint NOT NULL CHECK (events >= 0),
  -- No event that it holds was acknowledged before this; null: it holds none.
  oldest_at timestamptz CHECK ((oldest_at IS NULL) = (events = 0)),
  -- What left the spool is on its way to the rows: until the partition is committed through left_until, nothing
  -- acknowledged since left_at is known to be there.
  left_at timestamptz,
  left_until timestamptz,
  reported_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (spool_id, partition_id)
);
