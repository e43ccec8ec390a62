-- The base: merchants and their keys, raw rows, the ledger, positions, and the first continuous aggregate.
-- Times are timestamptz (UTC inside), amounts are bigint micros, hashes are 64-bit integers.

CREATE EXTENSION IF NOT EXISTS timescaledb;

-- Facts of this installation that can never change once data exists. One row.
CREATE TABLE installation (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  partitions integer NOT NULL CHECK (partitions BETWEEN 1 AND 4096),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE merchants (
  merchant_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  time_zone text NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  retention_days integer NOT NULL CHECK (retention_days BETWEEN 1 AND 7300),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Keys are random 256-bit texts, so that a plain SHA-256 is enough to hide them.
CREATE TABLE api_keys (
  key_sha256 bytea PRIMARY KEY CHECK (length(key_sha256) = 32),
  merchant_id integer NOT NULL REFERENCES merchants,
  kind text NOT NULL CHECK (kind IN ('write', 'read')),
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

-- Raw rows. ts is the event's time: the client's, or the received time where the client gave none.
CREATE TABLE events (
  merchant_id integer NOT NULL,
  ts timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  event_id uuid NOT NULL,
  visitor_id bigint NOT NULL,
  session_id bigint NOT NULL,
  processor_version smallint NOT NULL,
  name text NOT NULL,
  url text,
  referrer text,
  user_agent text,
  ip text,
  language text,
  screen_width integer,
  screen_height integer,
  properties jsonb,
  order_id text,
  order_revenue_micros bigint,
  order_tax_micros bigint,
  order_shipping_micros bigint,
  order_discount_micros bigint,
  order_currency text,
  order_coupon text,
  -- Revenue in the merchant's currency; null for an order in a currency that was not converted.
  revenue_micros bigint
);
SELECT create_hypertable('events', by_range('ts', INTERVAL '7 days'), create_default_indexes => false);
CREATE INDEX events_merchant_ts ON events (merchant_id, ts);

-- The items of events; position counts from 0 within the event.
CREATE TABLE items (
  merchant_id integer NOT NULL,
  ts timestamptz NOT NULL,
  event_id uuid NOT NULL,
  position smallint NOT NULL,
  item_id text NOT NULL,
  name text,
  brand text,
  category text,
  variant text,
  price_micros bigint NOT NULL,
  quantity integer NOT NULL
);
SELECT create_hypertable('items', by_range('ts', INTERVAL '7 days'), create_default_indexes => false);
CREATE INDEX items_merchant_ts ON items (merchant_id, ts);

-- Which events are stored: (merchant_id, event_id) at most once. A unique key on a hypertable must contain
-- its time column, so key_time is a function of the id alone: the time inside a UUIDv7, else the epoch.
-- Chunks are long, so that ids of all years together meet a few hundred of them at most: a chunk costs a lock.
-- received_at is kept for ids of the epoch only, so that they can be forgotten after the retention.
CREATE TABLE event_keys (
  key_time timestamptz NOT NULL,
  merchant_id integer NOT NULL,
  event_id uuid NOT NULL,
  received_at timestamptz,
  PRIMARY KEY (event_id, merchant_id, key_time)
);
SELECT create_hypertable('event_keys', by_range('key_time', INTERVAL '90 days'), create_default_indexes => false);

-- One line a batch, written in the transaction of its rows. batch_time is the time inside the batch id.
-- rows = stored + duplicates + rejected.
CREATE TABLE batch_ledger (
  batch_time timestamptz NOT NULL,
  batch_id uuid NOT NULL,
  partition_id integer NOT NULL,
  stream_seq bigint NOT NULL,
  collector_id text NOT NULL,
  rows integer NOT NULL,
  stored integer NOT NULL,
  duplicates integer NOT NULL,
  rejected integer NOT NULL,
  checksum bigint NOT NULL,
  committed_at timestamptz NOT NULL DEFAULT now(),
  CHECK (rows = stored + duplicates + rejected),
  PRIMARY KEY (batch_id, batch_time)
);
SELECT create_hypertable('batch_ledger', by_range('batch_time', INTERVAL '7 days'), create_default_indexes => false);

-- Where each partition stands. stream_seq is the last JetStream sequence whose effect is committed: a writer
-- moves it from the value it knows, so that of two writers only one can commit.
CREATE TABLE partitions (
  partition_id integer PRIMARY KEY,
  stream_seq bigint NOT NULL DEFAULT 0,
  -- Every batch that JetStream stored before this time is committed: what reports call data_through.
  committed_through timestamptz,
  -- ... and is in the continuous aggregates.
  refreshed_through timestamptz
);

-- Quarter hours of event time that were written since their continuous aggregates were last refreshed.
-- Written with the rows, so that a crash between commit and refresh forgets nothing.
CREATE TABLE stale_buckets (
  bucket timestamptz NOT NULL,
  -- Whose write it was: partitions that commit at the same time do not wait for one another's row.
  partition_id integer NOT NULL,
  -- The position that its last write was committed with.
  written_seq bigint NOT NULL,
  PRIMARY KEY (bucket, partition_id)
);

-- Sequences that a partition's stream no longer had when its aggregator came to them: lost events, which an
-- operator must hear of. Empty in good times.
CREATE TABLE stream_gaps (
  partition_id integer NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (partition_id, first_seq)
);

CREATE MATERIALIZED VIEW totals_15m
WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '15 minutes', ts) AS bucket,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(order_id) AS orders,
  count(order_id) FILTER (WHERE revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
GROUP BY merchant_id, time_bucket(INTERVAL '15 minutes', ts)
WITH NO DATA;
