-- Large merchants are answered from continuous aggregates beyond the totals (rollups); the many small ones from their
-- rows, which costs less than keeping aggregates for all. Which is which is written at each row, so that an aggregate
-- can leave the small ones out. A merchant joins at a moment ahead of all events, and stays.
ALTER TABLE merchants ADD COLUMN rollups_from timestamptz;
-- From when on reports may use them: rollups_from, or later while older rows are being marked.
ALTER TABLE merchants ADD COLUMN rollups_ready_from timestamptz;
ALTER TABLE merchants ADD CHECK (rollups_ready_from >= rollups_from);
CREATE INDEX merchants_rollups ON merchants (merchant_id) WHERE rollups_from IS NOT NULL;

-- True when ts >= the merchant's rollups_from.
ALTER TABLE events ADD COLUMN in_rollups boolean NOT NULL DEFAULT false;
ALTER TABLE items ADD COLUMN in_rollups boolean NOT NULL DEFAULT false;
CREATE INDEX events_rollups_ts ON events (ts) WHERE in_rollups;
CREATE INDEX items_rollups_ts ON items (ts) WHERE in_rollups;

-- A refresh reads a span of time of all merchants: without this, all of a chunk, however little of it is new.
CREATE INDEX events_ts ON events USING brin (ts) WITH (pages_per_range = 32, autosummarize = on);

-- UTC days of which quarter hours were refreshed since their daily aggregates were. Written as a bucket leaves
-- stale_buckets: a daily aggregate holds all of a day that is in neither table.
CREATE TABLE stale_days (
  day timestamptz NOT NULL,
  partition_id integer NOT NULL,
  -- Grows with each mark, so that a refresh clears only what it has seen.
  version bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (day, partition_id)
);
