-- One visitor in eight of the merchants with rollups (0008), with all that they did, by UTC day and the values of
-- dimensions: what breakdowns of very many events estimate visitors and sessions from. Who is sampled is told by the
-- lowest bits of the visitor's id, which is a hash: no bit of it says anything about the visitor, and the same visitors
-- are sampled at all times and at every value. docs/decisions/012 has what it costs and gains.
-- Within it are sparser samples, of one in 32, 128 and 512, for more events than one in eight is quick for.
CREATE MATERIALIZED VIEW sampled_visits_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  -- Of the sparsest sample that has the visitor: one with the factor k are the rows with this one or a larger one.
  CASE WHEN visitor_id & 511 = 0 THEN 512 WHEN visitor_id & 127 = 0 THEN 128 WHEN visitor_id & 31 = 0 THEN 32 ELSE 8 END
    AS factor,
  visitor_id,
  session_id,
  name,
  -- As pages_1d and event_names_1d have them (0014).
  coalesce(page, '/' || substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*/?([^?#]*)')) AS page,
  coalesce(host, lower(substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)') COLLATE "C")
    COLLATE "default") AS host,
  country,
  region,
  city,
  browser,
  os,
  device_type,
  language,
  count(*) AS events
FROM events
WHERE in_rollups AND visitor_id & 7 = 0
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot,
  CASE WHEN visitor_id & 511 = 0 THEN 512 WHEN visitor_id & 127 = 0 THEN 128 WHEN visitor_id & 31 = 0 THEN 32 ELSE 8 END,
  visitor_id, session_id, name,
  coalesce(page, '/' || substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*/?([^?#]*)')),
  coalesce(host, lower(substring(url, '^[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)') COLLATE "C")
    COLLATE "default"),
  country, region, city, browser, os, device_type, language
WITH NO DATA;
CREATE INDEX ON sampled_visits_1d (merchant_id, bucket);
-- A sparser sample is read without unpacking the others.
ALTER MATERIALIZED VIEW sampled_visits_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id, factor', timescaledb.compress_orderby = 'bucket');
-- A chunk is converted when it has ended, as those of visits_1d.
SELECT set_chunk_time_interval('sampled_visits_1d', INTERVAL '28 days');

-- The new aggregate is empty: reports count the days that it should hold from the rows until they are refreshed. A day
-- that has rows with rollups has visits, or is marked already; one that a refresh is at work on is marked again.
INSERT INTO stale_days (day, partition_id)
SELECT day, partition_id
FROM (
  SELECT day
  FROM timescaledb_information.chunks c
  CROSS JOIN LATERAL generate_series(date_trunc('day', c.range_start, 'UTC'),
    c.range_end - INTERVAL '1 microsecond', INTERVAL '1 day') AS day
  WHERE c.hypertable_name = 'events' AND EXISTS (SELECT FROM visits_1d WHERE bucket = day)
  UNION
  SELECT day FROM stale_days
) emptied
CROSS JOIN partitions
ON CONFLICT (day, partition_id) DO UPDATE SET version = DEFAULT;
