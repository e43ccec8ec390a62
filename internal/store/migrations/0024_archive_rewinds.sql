-- When JetStream stored the batch at archive_positions.stream_seq: what tells that the stream still is the one that
-- was archived. Null where that is not known.
ALTER TABLE archive_positions ADD COLUMN stream_stored_at timestamptz;

-- As stream_rewinds, of the archiver's position. Behind a rewind sequences are used a second time: objects and gaps
-- of a partition may overlap.
CREATE TABLE archive_rewinds (
  partition_id integer NOT NULL,
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (partition_id, seen_at)
);

ALTER TABLE archive_objects DROP CONSTRAINT archive_objects_pkey;
ALTER TABLE archive_objects DROP CONSTRAINT archive_objects_name_key;
ALTER TABLE archive_objects ADD PRIMARY KEY (name);
CREATE INDEX archive_objects_sequences ON archive_objects (partition_id, first_seq);
ALTER TABLE archive_gaps DROP CONSTRAINT archive_gaps_pkey;
ALTER TABLE archive_gaps ADD PRIMARY KEY (partition_id, first_seq, seen_at);
