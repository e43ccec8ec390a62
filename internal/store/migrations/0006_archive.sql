-- The archive on S3: where each partition stands, what objects there are, what was missing.

-- stream_seq is the last JetStream sequence that is in the archive: an archiver moves it from the value it
-- knows, so that of two archivers only one can commit. A row is made when a partition is first archived.
CREATE TABLE archive_positions (
  partition_id integer PRIMARY KEY,
  stream_seq bigint NOT NULL DEFAULT 0,
  -- When JetStream stored the batch at stream_seq: what tells that the stream still is the one that was archived. Null
  -- before the first batch.
  stream_stored_at timestamptz,
  -- The last sequence of the object that is being put: whoever goes on after a crash makes the same one.
  planned_through bigint CHECK (planned_through > stream_seq),
  -- Who works the partition now. It keeps others from working in vain; the position is what fences.
  owner text,
  owned_until timestamptz
);

-- What the archive holds, one line an object, written in the transaction that moves the position. An object
-- without a line was put by an archiver that died before its commit, and does not count.
CREATE TABLE archive_objects (
  partition_id integer NOT NULL,
  -- events: a Parquet object. dead_letter: the bytes of one batch that could not be read.
  kind text NOT NULL CHECK (kind IN ('events', 'dead_letter')),
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL CHECK (last_seq >= first_seq),
  -- The UTC day on which JetStream stored the batches.
  day date NOT NULL,
  -- Behind the prefix of the archive.
  name text PRIMARY KEY,
  batches integer NOT NULL,
  rows bigint NOT NULL,
  bytes bigint NOT NULL,
  sha256 bytea NOT NULL CHECK (length(sha256) = 32),
  -- Why a batch was dead-lettered.
  reason text CHECK ((reason IS NOT NULL) = (kind = 'dead_letter')),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- The erasures that are out of the object: those up to this erasure_version of its partition.
  erasure_version bigint NOT NULL DEFAULT 0,
  -- Rows of merchants that keep so many days or fewer are out of it too (internal/archive/erase.ts).
  expired_days integer NOT NULL DEFAULT 0
);
CREATE INDEX archive_objects_day ON archive_objects (day, partition_id);
CREATE INDEX archive_objects_sequences ON archive_objects (partition_id, first_seq);

-- Objects that a rewritten one has replaced and that are still to be deleted from S3.
CREATE TABLE archive_deletions (
  name text PRIMARY KEY,
  noted_at timestamptz NOT NULL DEFAULT now()
);

-- Sequences that a partition's stream no longer had when its archiver came to them: lost to the archive.
-- Empty in good times.
CREATE TABLE archive_gaps (
  partition_id integer NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (partition_id, first_seq, seen_at)
);

-- As stream_rewinds, of the archiver's position. Behind a rewind sequences are used a second time: objects and gaps
-- of a partition may overlap.
CREATE TABLE archive_rewinds (
  partition_id integer NOT NULL,
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (partition_id, seen_at)
);
