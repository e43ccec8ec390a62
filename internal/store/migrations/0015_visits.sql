-- Who came by UTC day and the values of dimensions, of the merchants with rollups (0008): one row for all events of a
-- session's day that have the same values. What breakdowns that count visitors or sessions read in place of events;
-- docs/decisions/010 has what it costs and gains. The columns of sums have the names that totals_15m has.
CREATE MATERIALIZED VIEW visits_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  visitor_id,
  session_id,
  channel,
  source,
  medium,
  campaign,
  country,
  region,
  city,
  browser,
  os,
  device_type,
  language,
  -- Of two sources of a session the one that came first brought the visit.
  min(ts) AS first_time,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, visitor_id, session_id,
  channel, source, medium, campaign, country, region, city, browser, os, device_type, language
WITH NO DATA;
CREATE INDEX ON visits_1d (merchant_id, bucket);
-- In the columnstore 30 bytes a row instead of 190.
ALTER MATERIALIZED VIEW visits_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
-- A chunk is converted when it has ended: the default, ten times that of events, would leave too much as rows.
SELECT set_chunk_time_interval('visits_1d', INTERVAL '28 days');

-- Sums by the source of each event alone: reports tell sources of visits, which no sum of events knows.
LOCK TABLE sources_1d IN ACCESS EXCLUSIVE MODE;
DROP MATERIALIZED VIEW sources_1d;

-- The new aggregate is empty: reports count the days that it should hold from the rows until they are refreshed.
INSERT INTO stale_days (day, partition_id)
SELECT day, partition_id
FROM (SELECT DISTINCT time_bucket(INTERVAL '1 day', ts) AS day FROM events WHERE in_rollups) written
CROSS JOIN partitions
ON CONFLICT (day, partition_id) DO UPDATE SET version = DEFAULT;
