-- Continuous aggregates, and which of their spans wait to be computed again (store/continuous-aggregates.ts).
-- All but the totals are of the merchants with rollups alone. docs/decisions/009, 010 and 012 have what each costs and
-- gains. The columns of sums have the same names in all of them.

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

-- UTC days of which quarter hours were refreshed since their daily aggregates were. Written as a bucket leaves
-- stale_buckets: a daily aggregate holds all of a day that is in neither table.
CREATE TABLE stale_days (
  day timestamptz NOT NULL,
  partition_id integer NOT NULL,
  -- Grows with each mark, so that a refresh clears only what it has seen.
  version bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (day, partition_id)
);

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

-- UTC months of which days were refreshed since the month was. Written as a day leaves stale_days.
CREATE TABLE stale_months (
  month timestamptz NOT NULL,
  partition_id integer NOT NULL,
  -- By the first mark.
  marked_at timestamptz NOT NULL DEFAULT now(),
  -- As in stale_days.
  version bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (month, partition_id)
);

-- Of everybody. Bots apart: reports are of people unless they ask for both, and then both rows are summed.
CREATE MATERIALIZED VIEW totals_15m
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
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
CREATE INDEX ON totals_15m (merchant_id, bucket);

-- Who was there in a quarter hour: one row for all events of a session in it.
CREATE MATERIALIZED VIEW sessions_15m
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '15 minutes', ts) AS bucket,
  is_bot,
  visitor_id,
  session_id,
  count(*) AS events
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '15 minutes', ts), is_bot, visitor_id, session_id
WITH NO DATA;
CREATE INDEX ON sessions_15m (merchant_id, bucket);
-- In the columnstore 19 bytes a row instead of 96, and quicker to read. Large merchants fill segments of their own.
ALTER MATERIALIZED VIEW sessions_15m SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id',
  timescaledb.compress_orderby = 'bucket, visitor_id'
);
-- A chunk is converted when it has ended: the default, ten times that of events, would leave too much as rows.
SELECT set_chunk_time_interval('sessions_15m', INTERVAL '28 days');

-- HyperLogLog registers of a UTC month without its first and its last day: every local month of every time zone holds
-- these days as a whole, so that a year of any zone is twelve times 16,384 rows and some ends, however many came.
-- The ids are hashes already, so that their bits are used as they are: 14 name the register, and the lowest bit that is
-- set among the other 50 is its value (2^50 where none is). The greatest such bit is kept, of which HyperLogLog's rho is
-- the binary logarithm plus one. A register that nobody fell into has no row.
CREATE MATERIALIZED VIEW visitor_registers_1mo
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 month', bucket) AS bucket,
  is_bot,
  (visitor_id & 16383)::smallint AS register,
  max(((visitor_id >> 14) | 1125899906842624) & -((visitor_id >> 14) | 1125899906842624)) AS lowest_bit
FROM sessions_15m
WHERE extract(day FROM bucket AT TIME ZONE 'UTC') <> 1
  AND extract(day FROM bucket AT TIME ZONE 'UTC' + INTERVAL '1 day') <> 1
GROUP BY merchant_id, time_bucket(INTERVAL '1 month', bucket), is_bot, (visitor_id & 16383)::smallint
WITH NO DATA;
CREATE INDEX ON visitor_registers_1mo (merchant_id, bucket);

CREATE MATERIALIZED VIEW session_registers_1mo
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 month', bucket) AS bucket,
  is_bot,
  (session_id & 16383)::smallint AS register,
  max(((session_id >> 14) | 1125899906842624) & -((session_id >> 14) | 1125899906842624)) AS lowest_bit
FROM sessions_15m
WHERE extract(day FROM bucket AT TIME ZONE 'UTC') <> 1
  AND extract(day FROM bucket AT TIME ZONE 'UTC' + INTERVAL '1 day') <> 1
GROUP BY merchant_id, time_bucket(INTERVAL '1 month', bucket), is_bot, (session_id & 16383)::smallint
WITH NO DATA;
CREATE INDEX ON session_registers_1mo (merchant_id, bucket);

-- Sums by UTC day and the values of dimensions: what breakdowns over long spans read in place of rows. Dimensions whose
-- combinations are few share one.

CREATE MATERIALIZED VIEW pages_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  page,
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
  host,
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
-- Sums of many days may pass 64 bits.

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

-- A merchant's cells are neighbours in the columnstore, day by day: about 9 bytes each. Late refreshes write behind it.
ALTER MATERIALIZED VIEW pages_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW pages_7d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW pages_28d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW event_names_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW places_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
ALTER MATERIALIZED VIEW devices_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');

-- Who came by UTC day and the values of dimensions, one row for all events of a session's day that have the same values:
-- what breakdowns that count visitors or sessions read in place of events.
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

-- One visitor in eight with all that they did, by UTC day and the values of dimensions: what breakdowns of very many events estimate visitors and sessions from. Who is sampled is told by the
-- lowest bits of the visitor's id, which is a hash: no bit of it says anything about the visitor, and the same visitors
-- are sampled at all times and at every value.
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
  page,
  host,
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
  visitor_id, session_id, name, page, host,
  country, region, city, browser, os, device_type, language
WITH NO DATA;
CREATE INDEX ON sampled_visits_1d (merchant_id, bucket);
-- A sparser sample is read without unpacking the others.
ALTER MATERIALIZED VIEW sampled_visits_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id, factor', timescaledb.compress_orderby = 'bucket');
-- A chunk is converted when it has ended, as those of visits_1d.
SELECT set_chunk_time_interval('sampled_visits_1d', INTERVAL '28 days');
