-- Amounts up to 10^18 micros, quantities that may be fractions, and refunds with ids of their own (docs/processing.md).

-- The refund's own id, as the shop told it.
ALTER TABLE events ADD COLUMN refund_id text;

-- Millionths of one, 1 to 10^12. The columnstore keeps what it has: rows that are not written anew are one piece each.
ALTER TABLE items ADD COLUMN quantity_micros bigint NOT NULL DEFAULT 1000000;
SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0;
UPDATE items SET quantity_micros = quantity * 1000000::bigint WHERE quantity <> 1;
ALTER TABLE items DROP COLUMN quantity;

-- Sums of weeks were cut to 64 bits, which ten orders can pass: the refresh would fail for ever. They stay numeric.
LOCK TABLE pages_28d, pages_7d IN ACCESS EXCLUSIVE MODE;
DROP MATERIALIZED VIEW pages_28d;
DROP MATERIALIZED VIEW pages_7d;

CREATE MATERIALIZED VIEW pages_7d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '7 days', bucket) AS bucket,
  is_bot,
  page,
  sum(events)::bigint AS events,
  sum(page_views)::bigint AS page_views,
  sum(orders)::bigint AS orders,
  sum(unconverted_orders)::bigint AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM pages_1d
GROUP BY merchant_id, time_bucket(INTERVAL '7 days', bucket), is_bot, page
WITH NO DATA;
CREATE INDEX ON pages_7d (merchant_id, bucket);

CREATE MATERIALIZED VIEW pages_28d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '28 days', bucket) AS bucket,
  is_bot,
  page,
  sum(events)::bigint AS events,
  sum(page_views)::bigint AS page_views,
  sum(orders)::bigint AS orders,
  sum(unconverted_orders)::bigint AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM pages_7d
GROUP BY merchant_id, time_bucket(INTERVAL '28 days', bucket), is_bot, page
WITH NO DATA;
CREATE INDEX ON pages_28d (merchant_id, bucket);

ALTER MATERIALIZED VIEW pages_7d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW pages_28d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');

-- The new aggregates are empty: their spans are built from the days, which stay as they are. Weeks come before the four
-- weeks that they are in.
INSERT INTO stale_spans (days, start, partition_id)
SELECT days, start, partition_id
FROM (
  SELECT DISTINCT days, time_bucket(days * INTERVAL '1 day', bucket) AS start
  FROM pages_1d
  CROSS JOIN unnest(ARRAY[7, 28]) AS days
) spans
CROSS JOIN partitions
ON CONFLICT (days, start, partition_id) DO UPDATE SET version = DEFAULT;
