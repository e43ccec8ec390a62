-- Sums by UTC day and the values of dimensions, of the merchants with rollups (0008): what breakdowns over long spans
-- read in place of rows. Dimensions whose combinations are few share one. docs/decisions/010 has what each costs and
-- gains. The columns of sums have the names that totals_15m has.

CREATE MATERIALIZED VIEW pages_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  '/' || substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*/?([^?#]*)') AS page,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, page
WITH NO DATA;
CREATE INDEX ON pages_1d (merchant_id, bucket);

CREATE MATERIALIZED VIEW event_names_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  name,
  lower(substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)')) AS host,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, name, host
WITH NO DATA;
CREATE INDEX ON event_names_1d (merchant_id, bucket);

CREATE MATERIALIZED VIEW sources_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  channel,
  source,
  medium,
  campaign,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, channel, source, medium, campaign
WITH NO DATA;
CREATE INDEX ON sources_1d (merchant_id, bucket);

CREATE MATERIALIZED VIEW places_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  country,
  region,
  city,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, country, region, city
WITH NO DATA;
CREATE INDEX ON places_1d (merchant_id, bucket);

CREATE MATERIALIZED VIEW devices_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  browser,
  os,
  device_type,
  language,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, browser, os, device_type, language
WITH NO DATA;
CREATE INDEX ON devices_1d (merchant_id, bucket);

-- Pages are so many that a year of days would be millions of cells. Monday to Sunday, and four weeks from 2000-01-03 on.

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
  sum(revenue_micros)::bigint AS revenue_micros
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
  sum(revenue_micros)::bigint AS revenue_micros
FROM pages_7d
GROUP BY merchant_id, time_bucket(INTERVAL '28 days', bucket), is_bot, page
WITH NO DATA;
CREATE INDEX ON pages_28d (merchant_id, bucket);

-- A merchant's cells are neighbours in the columnstore, day by day: about 9 bytes each. Late refreshes write behind it.
ALTER MATERIALIZED VIEW pages_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW pages_7d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW pages_28d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW event_names_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW sources_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW places_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW devices_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');

-- Spans of 7 and 28 days of which days were refreshed since their own aggregates were. Written as a day leaves
-- stale_days, and four weeks as a week leaves this table: an aggregate holds all of a span that is in none of them.
CREATE TABLE stale_spans (
  days integer NOT NULL CHECK (days IN (7, 28)),
  start timestamptz NOT NULL,
  partition_id integer NOT NULL,
  -- Grows with each mark, so that a refresh clears only what it has seen.
  version bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (days, start, partition_id)
);

-- The new aggregates are empty: reports count the days that they should hold from the rows until they are refreshed.
INSERT INTO stale_days (day, partition_id)
SELECT day, partition_id
FROM (SELECT DISTINCT time_bucket(INTERVAL '1 day', ts) AS day FROM events WHERE in_rollups) written
CROSS JOIN partitions
ON CONFLICT (day, partition_id) DO UPDATE SET version = DEFAULT;
