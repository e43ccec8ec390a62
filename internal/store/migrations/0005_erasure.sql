-- Erasure of a person or of a whole merchant (docs/erasure.md).

-- One line an erasure, kept for ever. It is its progress while it goes on, its receipt afterwards, and the tombstone:
-- by it the aggregator leaves out what comes again, from a spool, the stream, DEAD_LETTER or the archive.
CREATE TABLE erasures (
  erasure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  merchant_id integer NOT NULL,
  -- What the person's events are found by, and its hash: events.visitor_id, user_id or order_customer_id. Null for the
  -- whole merchant.
  person_kind text CHECK (person_kind IN ('visitor', 'user', 'customer')),
  person_hash bigint,
  partition_id integer NOT NULL,
  -- The partition's erasure_version that this line came, or was last changed, with.
  version bigint NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  -- Of a person, what happened or was received up to here is erased; of a merchant, everything.
  erased_through timestamptz NOT NULL,
  -- Event times of the first and the last erased event.
  first_time timestamptz,
  last_time timestamptz,
  -- Quarter hours that lost events: they were marked (invalidations), and are to be refreshed.
  quarter_hours timestamptz[] NOT NULL DEFAULT '{}',
  -- Order ids that an erased event had claimed and no other event has been looked for yet. Empty at the end.
  freed_orders text[] NOT NULL DEFAULT '{}',
  -- Likewise refunds: a JSON array of order and refund key.
  freed_refunds text[] NOT NULL DEFAULT '{}',
  -- Of a user or customer, the visitors whose events were erased. Empty at the end.
  visitors bigint[] NOT NULL DEFAULT '{}',
  -- When the continuous aggregates counted none of it any more.
  refreshed_at timestamptz,
  -- When the space of the erased rows was freed.
  vacuumed_at timestamptz,
  finished_at timestamptz,
  -- What is left elsewhere and until when, as the receipt says it.
  remains jsonb,
  CHECK ((person_kind IS NULL) = (person_hash IS NULL)),
  CHECK ((finished_at IS NULL) = (remains IS NULL))
);
CREATE INDEX erasures_partition ON erasures (partition_id, version);

-- How many rows an erasure has removed from each table; written in the transactions that remove them.
CREATE TABLE erasure_removals (
  erasure_id bigint NOT NULL REFERENCES erasures,
  table_name text NOT NULL,
  rows bigint NOT NULL,
  PRIMARY KEY (erasure_id, table_name)
);
