-- Amounts up to 10^18 micros, quantities that may be fractions, and refunds with ids of their own (docs/processing.md).

-- The refund's own id, as the shop told it.
ALTER TABLE events ADD COLUMN refund_id text;
-- Of a refund that counts: whether it and those before it give back more than its order's total. Null where that is not
-- known: the order had not come yet, or is in another currency. order_kind 4 is a refund that counted before.
ALTER TABLE events ADD COLUMN refund_excess boolean;

-- What the order was in all, and in which currency (null: the merchant's). Unknown of orders that came before.
ALTER TABLE order_keys ADD COLUMN total_micros bigint;
ALTER TABLE order_keys ADD COLUMN currency text;

-- Which refunds are counted: of a merchant's order, each at most once, whatever events tell it.
CREATE TABLE refund_keys (
  merchant_id integer NOT NULL,
  order_id text NOT NULL,
  -- "id" and the refund's own; else "event" and the event's; else "amount" and the micros and currency.
  refund_key text NOT NULL,
  -- The event that counts, and its time, by which the key can be forgotten after the retention.
  event_id uuid NOT NULL,
  ts timestamptz NOT NULL,
  amount_micros bigint NOT NULL,
  -- Null: the merchant's.
  currency text,
  PRIMARY KEY (merchant_id, order_id, refund_key)
);

-- Those that erased events had claimed, until others of theirs have them: a JSON array of order and key.
ALTER TABLE erasures ADD COLUMN freed_refunds text[] NOT NULL DEFAULT '{}';

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
