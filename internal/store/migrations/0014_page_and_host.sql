-- The page and the host of an event's url as columns, which the aggregator's step `page` fills once for each entry of a
-- batch's dictionary (docs/processing.md). Rows that were stored before have neither: their readers take both from the
-- url, by the same rules, so that a row's values are the same before and behind this migration.
--
-- The aggregates that matched patterns against every url are made anew over the columns. Commits wait from the first
-- DROP on, so nothing here looks at all rows, or at all cells of an aggregate.

-- A refresh locks its aggregate and then reads events; a DROP takes both the other way round, and may wait for one that
-- waits for it.
LOCK TABLE pages_28d, pages_7d, pages_1d, event_names_1d IN ACCESS EXCLUSIVE MODE;
DROP MATERIALIZED VIEW pages_28d;
DROP MATERIALIZED VIEW pages_7d;
DROP MATERIALIZED VIEW pages_1d;
DROP MATERIALIZED VIEW event_names_1d;

-- The new ones will be empty: reports count their days from the rows until they are refreshed. A day that had cells has
-- some of devices; one that had none yet, or that a refresh is at work on, is marked already, and marked again, so that
-- the end of that refresh does not clear it. As a day is cleared, its week is marked, and then its four weeks.
INSERT INTO stale_days (day, partition_id)
SELECT day, partition_id
FROM (
  SELECT day
  FROM timescaledb_information.chunks c
  CROSS JOIN LATERAL generate_series(date_trunc('day', c.range_start, 'UTC'),
    c.range_end - INTERVAL '1 microsecond', INTERVAL '1 day') AS day
  WHERE c.hypertable_name = 'events' AND EXISTS (SELECT FROM devices_1d WHERE bucket = day)
  UNION
  SELECT day FROM stale_days
) emptied
CROSS JOIN partitions
ON CONFLICT (day, partition_id) DO UPDATE SET version = DEFAULT;

-- The path of the url, "/" for its site's root; null where the url is absent or not absolute.
ALTER TABLE events ADD COLUMN page text;
-- In lower case (of ASCII), without user and port; null likewise, and where the url has none.
ALTER TABLE events ADD COLUMN host text;

CREATE MATERIALIZED VIEW pages_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  coalesce(page, '/' || substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*/?([^?#]*)')) AS page,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot,
  coalesce(page, '/' || substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*/?([^?#]*)'))
WITH NO DATA;
CREATE INDEX ON pages_1d (merchant_id, bucket);

CREATE MATERIALIZED VIEW event_names_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  name,
  coalesce(host, lower(substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)') COLLATE "C")
    COLLATE "default") AS host,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, name,
  coalesce(host, lower(substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)') COLLATE "C")
    COLLATE "default")
WITH NO DATA;
CREATE INDEX ON event_names_1d (merchant_id, bucket);

-- As 0012 has them.
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

ALTER MATERIALIZED VIEW pages_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW pages_7d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW pages_28d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW event_names_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
