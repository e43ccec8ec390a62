-- What the processing steps derive (docs/processing.md), and what they need to know: salts, rates, order ids.

-- Off: the collector keeps the merchant's visitors' whole addresses.
ALTER TABLE merchants ADD COLUMN truncate_ip boolean NOT NULL DEFAULT true;

-- Rows that were stored before count as people's, with unknown device, place and source, until they are replayed.
ALTER TABLE events ADD COLUMN is_bot boolean NOT NULL DEFAULT false;
-- What ts is: 0 the client's time, 1 the client's corrected by its clock's error, 2 the received time.
ALTER TABLE events ADD COLUMN time_quality smallint;
ALTER TABLE events ADD COLUMN browser text;
-- The major version.
ALTER TABLE events ADD COLUMN browser_version text;
ALTER TABLE events ADD COLUMN os text;
-- desktop, mobile, tablet, tv or other.
ALTER TABLE events ADD COLUMN device_type text;
-- ISO 3166-1 alpha-2.
ALTER TABLE events ADD COLUMN country text;
ALTER TABLE events ADD COLUMN region text;
ALTER TABLE events ADD COLUMN city text;
-- Null: the event came from a page of the same site, or tells no page.
ALTER TABLE events ADD COLUMN channel text;
ALTER TABLE events ADD COLUMN source text;
ALTER TABLE events ADD COLUMN medium text;
ALTER TABLE events ADD COLUMN campaign text;
ALTER TABLE events ADD COLUMN campaign_id text;
ALTER TABLE events ADD COLUMN campaign_term text;
ALTER TABLE events ADD COLUMN campaign_content text;
-- The name of the click id's parameter, such as gclid; its value stays in url.
ALTER TABLE events ADD COLUMN click_id text;
-- What the event's order is: 0 only mentioned (begin_checkout ...), 1 an order, 2 an order that counted before
-- (the thank-you page loaded again), 3 a refund. Null without an order. revenue_micros is null for 0 and 2, and
-- less than zero for 3.
ALTER TABLE events ADD COLUMN order_kind smallint;

-- Which orders are counted: a merchant's order id at most once, whatever events bring it.
CREATE TABLE order_keys (
  merchant_id integer NOT NULL,
  order_id text NOT NULL,
  -- The event that counts, and its time, by which the key can be forgotten after the retention.
  event_id uuid NOT NULL,
  ts timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, order_id)
);

-- Old chunks may be compressed: however many rows of orders they hold, they are all told apart.
SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0;

INSERT INTO order_keys (merchant_id, order_id, event_id, ts)
SELECT DISTINCT ON (merchant_id, order_id) merchant_id, order_id, event_id, ts
FROM events
WHERE order_id IS NOT NULL AND name <> 'refund'
ORDER BY merchant_id, order_id, received_at, ts, event_id;

UPDATE events SET order_kind = 3, revenue_micros = -revenue_micros WHERE order_id IS NOT NULL AND name = 'refund';
UPDATE events SET order_kind = 1 WHERE order_id IS NOT NULL AND name <> 'refund';
UPDATE events e SET order_kind = 2, revenue_micros = NULL
FROM order_keys k
WHERE e.order_kind = 1 AND k.merchant_id = e.merchant_id AND k.order_id = e.order_id AND k.event_id <> e.event_id;

-- Reference rates: how many units of a currency one euro was on a day.
CREATE TABLE currency_rates (
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  day date NOT NULL,
  per_euro double precision NOT NULL CHECK (per_euro > 0),
  PRIMARY KEY (currency, day)
);

-- Secrets that the hashes of visitors without an id are made with, one a day of use. Deleted 48 hours after they
-- were made: then nobody can find out any more whose hash it was. Vacuumed after each deletion.
CREATE TABLE visitor_salts (
  day date PRIMARY KEY,
  salt bytea NOT NULL CHECK (length(salt) = 32),
  created_at timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);

-- Bots apart: reports are of people unless they ask for both, and then both rows are summed.
DROP MATERIALIZED VIEW totals_15m;
CREATE MATERIALIZED VIEW totals_15m
WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '15 minutes', ts) AS bucket,
  is_bot,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
GROUP BY merchant_id, time_bucket(INTERVAL '15 minutes', ts), is_bot
WITH NO DATA;

-- The new aggregate is empty. Every quarter hour with rows is noted as stale, for the partitions that wrote to
-- it: reports count it from the rows until the aggregators have refreshed it. The partition is event/partition.ts's
-- function of the merchant; -1 is no position of any commit, so that a refresh under way clears none of these.
INSERT INTO stale_buckets (bucket, partition_id, written_seq)
SELECT DISTINCT written.bucket, ((h3 # (h3 >> 16)) % installation.partitions)::integer, -1
FROM (
  SELECT DISTINCT merchant_id::bigint AS id, time_bucket(INTERVAL '15 minutes', ts) AS bucket FROM events
) written
CROSS JOIN installation
CROSS JOIN LATERAL (SELECT ((id # (id >> 16))::numeric * 2246822507 % 4294967296)::bigint AS h2) second
CROSS JOIN LATERAL (SELECT ((h2 # (h2 >> 13))::numeric * 3266489909 % 4294967296)::bigint AS h3) third
ON CONFLICT (bucket, partition_id) DO UPDATE SET written_seq = excluded.written_seq;
