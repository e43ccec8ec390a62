-- Continuous aggregates, and which of their buckets are to be computed again. store/continuous-aggregates.ts lists them.
-- All but the totals are of the merchants with rollups alone. docs/decisions/009, 010 and 012 have what each costs and
-- gains. Sums have the same names everywhere; those of amounts are numeric, as they may pass 64 bits, and in the
-- merchant's currency.

-- Buckets of which rows were written since their aggregates were refreshed. A commit writes those of quarter hours with
-- its rows, so that a crash in between forgets nothing; a refresh clears them as it ends, and marks the next longer
-- bucket that they are in. An aggregate holds all of a bucket that is marked in no grain up to its own. Reports count
-- what is marked from the rows.
CREATE TABLE invalidations (
  grain text NOT NULL CHECK (grain IN ('15m', '1d', '7d', '28d')),
  start timestamptz NOT NULL,
  -- Whose write it was: partitions that commit at the same time do not wait for one another's row.
  partition_id integer NOT NULL,
  -- New with each mark, so that a refresh clears only what it has seen.
  version bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (grain, start, partition_id)
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
  count(*) FILTER (WHERE stage = 2) AS view_items,
  count(*) FILTER (WHERE stage = 3) AS add_to_carts,
  count(*) FILTER (WHERE stage = 4) AS checkouts,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind = 3) AS refunds,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros,
  sum(revenue_micros) FILTER (WHERE order_kind = 1) AS gross_micros,
  -sum(revenue_micros) FILTER (WHERE order_kind = 3) AS refund_micros,
  sum(tax_micros) AS tax_micros,
  sum(shipping_micros) AS shipping_micros,
  sum(discount_micros) AS discount_micros,
  sum(active_ms) AS active_ms,
  sum(scroll_percent) AS scroll_sum,
  count(scroll_percent) AS scroll_reports,
  min(processor_version) AS oldest_processor_version,
  max(processor_version) AS newest_processor_version
FROM events
GROUP BY merchant_id, time_bucket(INTERVAL '15 minutes', ts), is_bot
WITH NO DATA;
CREATE INDEX ON totals_15m (merchant_id, bucket);

-- Who was there in a quarter hour: one row for all events of a session in it. 19 bytes a row in the columnstore in place
-- of 96, and quicker to read: large merchants fill segments of their own. A chunk is converted when it has ended: the
-- default, ten times that of events, would leave too much as rows.
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
ALTER MATERIALIZED VIEW sessions_15m SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket, visitor_id');
SELECT set_chunk_time_interval('sessions_15m', INTERVAL '28 days');

-- Sums by UTC day and the values of dimensions: what breakdowns over long spans read in place of rows. Dimensions whose
-- combinations are few share one. A merchant's cells are neighbours in the columnstore, day by day: about 9 bytes each.
-- Late refreshes write behind it.
CREATE MATERIALIZED VIEW pages_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
  page,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE stage = 2) AS view_items,
  count(*) FILTER (WHERE stage = 3) AS add_to_carts,
  count(*) FILTER (WHERE stage = 4) AS checkouts,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind = 3) AS refunds,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros,
  sum(revenue_micros) FILTER (WHERE order_kind = 1) AS gross_micros,
  -sum(revenue_micros) FILTER (WHERE order_kind = 3) AS refund_micros,
  sum(tax_micros) AS tax_micros,
  sum(shipping_micros) AS shipping_micros,
  sum(discount_micros) AS discount_micros,
  sum(active_ms) AS active_ms,
  sum(scroll_percent) AS scroll_sum,
  count(scroll_percent) AS scroll_reports
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, page
WITH NO DATA;
CREATE INDEX ON pages_1d (merchant_id, bucket);
ALTER MATERIALIZED VIEW pages_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');

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
  count(*) FILTER (WHERE stage = 2) AS view_items,
  count(*) FILTER (WHERE stage = 3) AS add_to_carts,
  count(*) FILTER (WHERE stage = 4) AS checkouts,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind = 3) AS refunds,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros,
  sum(revenue_micros) FILTER (WHERE order_kind = 1) AS gross_micros,
  -sum(revenue_micros) FILTER (WHERE order_kind = 3) AS refund_micros,
  sum(tax_micros) AS tax_micros,
  sum(shipping_micros) AS shipping_micros,
  sum(discount_micros) AS discount_micros,
  sum(active_ms) AS active_ms,
  sum(scroll_percent) AS scroll_sum,
  count(scroll_percent) AS scroll_reports
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, name, host
WITH NO DATA;
CREATE INDEX ON event_names_1d (merchant_id, bucket);
ALTER MATERIALIZED VIEW event_names_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');

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
  count(*) FILTER (WHERE stage = 2) AS view_items,
  count(*) FILTER (WHERE stage = 3) AS add_to_carts,
  count(*) FILTER (WHERE stage = 4) AS checkouts,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind = 3) AS refunds,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros,
  sum(revenue_micros) FILTER (WHERE order_kind = 1) AS gross_micros,
  -sum(revenue_micros) FILTER (WHERE order_kind = 3) AS refund_micros,
  sum(tax_micros) AS tax_micros,
  sum(shipping_micros) AS shipping_micros,
  sum(discount_micros) AS discount_micros,
  sum(active_ms) AS active_ms,
  sum(scroll_percent) AS scroll_sum,
  count(scroll_percent) AS scroll_reports
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, country, region, city
WITH NO DATA;
CREATE INDEX ON places_1d (merchant_id, bucket);
ALTER MATERIALIZED VIEW places_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');

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
  count(*) FILTER (WHERE stage = 2) AS view_items,
  count(*) FILTER (WHERE stage = 3) AS add_to_carts,
  count(*) FILTER (WHERE stage = 4) AS checkouts,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind = 3) AS refunds,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros,
  sum(revenue_micros) FILTER (WHERE order_kind = 1) AS gross_micros,
  -sum(revenue_micros) FILTER (WHERE order_kind = 3) AS refund_micros,
  sum(tax_micros) AS tax_micros,
  sum(shipping_micros) AS shipping_micros,
  sum(discount_micros) AS discount_micros,
  sum(active_ms) AS active_ms,
  sum(scroll_percent) AS scroll_sum,
  count(scroll_percent) AS scroll_reports
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, browser, os, device_type, language
WITH NO DATA;
CREATE INDEX ON devices_1d (merchant_id, bucket);
ALTER MATERIALIZED VIEW devices_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');

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
  sum(view_items)::bigint AS view_items,
  sum(add_to_carts)::bigint AS add_to_carts,
  sum(checkouts)::bigint AS checkouts,
  sum(orders)::bigint AS orders,
  sum(refunds)::bigint AS refunds,
  sum(unconverted_orders)::bigint AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros,
  sum(gross_micros) AS gross_micros,
  sum(refund_micros) AS refund_micros,
  sum(tax_micros) AS tax_micros,
  sum(shipping_micros) AS shipping_micros,
  sum(discount_micros) AS discount_micros,
  sum(active_ms)::bigint AS active_ms,
  sum(scroll_sum)::bigint AS scroll_sum,
  sum(scroll_reports)::bigint AS scroll_reports
FROM pages_1d
GROUP BY merchant_id, time_bucket(INTERVAL '7 days', bucket), is_bot, page
WITH NO DATA;
CREATE INDEX ON pages_7d (merchant_id, bucket);
ALTER MATERIALIZED VIEW pages_7d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');

CREATE MATERIALIZED VIEW pages_28d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '28 days', bucket) AS bucket,
  is_bot,
  page,
  sum(events)::bigint AS events,
  sum(page_views)::bigint AS page_views,
  sum(view_items)::bigint AS view_items,
  sum(add_to_carts)::bigint AS add_to_carts,
  sum(checkouts)::bigint AS checkouts,
  sum(orders)::bigint AS orders,
  sum(refunds)::bigint AS refunds,
  sum(unconverted_orders)::bigint AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros,
  sum(gross_micros) AS gross_micros,
  sum(refund_micros) AS refund_micros,
  sum(tax_micros) AS tax_micros,
  sum(shipping_micros) AS shipping_micros,
  sum(discount_micros) AS discount_micros,
  sum(active_ms)::bigint AS active_ms,
  sum(scroll_sum)::bigint AS scroll_sum,
  sum(scroll_reports)::bigint AS scroll_reports
FROM pages_7d
GROUP BY merchant_id, time_bucket(INTERVAL '28 days', bucket), is_bot, page
WITH NO DATA;
CREATE INDEX ON pages_28d (merchant_id, bucket);
ALTER MATERIALIZED VIEW pages_28d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');

-- Who came by UTC day and the values of dimensions: one row for all events of a session's day that have the same values.
-- Sources (channel to referrer_host) are told by events that came from elsewhere alone, so that a session has a row with
-- its source and one with none. What is of the session as a whole is merged of its rows, of all its days: the smallest
-- first_time, the greatest last_time, the entry page of the smallest (entry_page_time, entry_page), the exit page of the
-- greatest likewise, sums of the rest. Of page views at the same moment the page that sorts first in bytes is the entry,
-- the last the exit: both are found by a text of 18 digits of ms and the page. A page view without a page counts as ''.
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
  campaign_id,
  campaign_term,
  campaign_content,
  click_id,
  referrer_host,
  country,
  region,
  city,
  browser,
  browser_version,
  os,
  os_version,
  device_type,
  screen_width,
  screen_height,
  language,
  bot_name,
  bot_kind,
  -- Of two sources of a session the one that came first brought the visit.
  min(ts) AS first_time,
  max(ts) AS last_time,
  substr(min(((100000000000000000 + (date_part('epoch', ts AT TIME ZONE 'UTC') * 1000)::bigint)::text
    || coalesce(page, '')) COLLATE "C") FILTER (WHERE name = 'page_view'), 19) COLLATE "default"
    AS entry_page,
  min(ts) FILTER (WHERE name = 'page_view') AS entry_page_time,
  substr(max(((100000000000000000 + (date_part('epoch', ts AT TIME ZONE 'UTC') * 1000)::bigint)::text
    || coalesce(page, '')) COLLATE "C") FILTER (WHERE name = 'page_view'), 19) COLLATE "default"
    AS exit_page,
  max(ts) FILTER (WHERE name = 'page_view') AS exit_page_time,
  max(scroll_percent) AS max_scroll_percent,
  count(*) FILTER (WHERE is_passive IS NOT TRUE) AS non_passive_events,
  count(*) AS events,
  count(*) FILTER (WHERE name = 'page_view') AS page_views,
  count(*) FILTER (WHERE stage = 2) AS view_items,
  count(*) FILTER (WHERE stage = 3) AS add_to_carts,
  count(*) FILTER (WHERE stage = 4) AS checkouts,
  count(*) FILTER (WHERE order_kind = 1) AS orders,
  count(*) FILTER (WHERE order_kind = 3) AS refunds,
  count(*) FILTER (WHERE order_kind IN (1, 3) AND revenue_micros IS NULL) AS unconverted_orders,
  sum(revenue_micros) AS revenue_micros,
  sum(revenue_micros) FILTER (WHERE order_kind = 1) AS gross_micros,
  -sum(revenue_micros) FILTER (WHERE order_kind = 3) AS refund_micros,
  sum(tax_micros) AS tax_micros,
  sum(shipping_micros) AS shipping_micros,
  sum(discount_micros) AS discount_micros,
  sum(active_ms) AS active_ms,
  sum(scroll_percent) AS scroll_sum,
  count(scroll_percent) AS scroll_reports
FROM events
WHERE in_rollups
GROUP BY merchant_id, time_bucket(INTERVAL '1 day', ts), is_bot, visitor_id, session_id, channel, source, medium,
  campaign, campaign_id, campaign_term, campaign_content, click_id, referrer_host, country, region, city, browser,
  browser_version, os, os_version, device_type, screen_width, screen_height, language, bot_name, bot_kind
WITH NO DATA;
CREATE INDEX ON visits_1d (merchant_id, bucket);
ALTER MATERIALIZED VIEW visits_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id', timescaledb.compress_orderby = 'bucket');
SELECT set_chunk_time_interval('visits_1d', INTERVAL '28 days');

-- One visitor in eight with all that they did, by UTC day and the values of dimensions: what breakdowns of very many events
-- estimate visitors and sessions from. Who is sampled is told by the lowest bits of the visitor's id, which is a hash: no
-- bit of it says anything about the visitor, and the same visitors are sampled at all times and at every value.
-- Within it are sparser samples, of one in 32, 128 and 512, for more events than one in eight is quick for: the factor is
-- that of the sparsest sample that has the visitor, so that one with the factor k are the rows with k or more. A sparser
-- sample is read without unpacking the others.
CREATE MATERIALIZED VIEW sampled_visits_1d
WITH (timescaledb.continuous, timescaledb.materialized_only = true, timescaledb.create_group_indexes = false) AS
SELECT
  merchant_id,
  time_bucket(INTERVAL '1 day', ts) AS bucket,
  is_bot,
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
  visitor_id, session_id, name, page, host, country, region, city, browser, os, device_type, language
WITH NO DATA;
CREATE INDEX ON sampled_visits_1d (merchant_id, bucket);
ALTER MATERIALIZED VIEW sampled_visits_1d SET (timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id, factor', timescaledb.compress_orderby = 'bucket');
SELECT set_chunk_time_interval('sampled_visits_1d', INTERVAL '28 days');

-- How far a partition is committed, and what collectors are known to hold back of it. Times are epoch milliseconds,
-- rounded down. What is committed and not refreshed yet is counted from the rows, so that every answer holds all of it.
-- What left a spool counts as held back until it can be in the rows. In PL/pgSQL, here and below: a session plans its
-- statements once, where planning takes longer than all else, and poolers of connections keep no prepared statements.
CREATE FUNCTION freshness(partition integer, OUT through bigint, OUT delayed_events bigint, OUT delayed_since bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT
    CASE WHEN p.committed_through IS NOT NULL
      THEN floor(extract(epoch FROM least(p.committed_through, held.since)) * 1000)::bigint END,
    coalesce(held.events, 0)::bigint,
    floor(extract(epoch FROM held.oldest_at) * 1000)::bigint
  INTO through, delayed_events, delayed_since
  FROM partitions p
  CROSS JOIN LATERAL (
    SELECT
      sum(r.events) AS events,
      min(r.oldest_at) AS oldest_at,
      min(least(r.oldest_at, CASE WHEN r.left_until > p.committed_through THEN r.left_at END)) AS since
    FROM spool_reports r
    WHERE r.partition_id = p.partition_id
  ) held
  WHERE p.partition_id = partition;
END $$;

-- The starts of an aggregate's buckets in [first, last) of which it holds less, or something else, than the rows are.
CREATE FUNCTION invalid_starts(partition integer, of_grain text, first timestamptz, last timestamptz) RETURNS float8[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY (
    SELECT extract(epoch FROM start)::float8 * 1000
    FROM invalidations i WHERE i.grain = of_grain AND i.partition_id = partition AND start >= first AND start < last
  );
END $$;

-- How the data behind some questions of one merchant stand: freshness; of each question the sum of its days' versions, as
-- of two commits the later one may be seen first, and a maximum would not tell when the other comes; and what aggregates
-- hold of the merchant: from when on (null: nothing), and in [first, last) which buckets not. Times are epoch milliseconds.
-- Of each span of a question: the question's number, its first and its last UTC day.
CREATE FUNCTION data_state(
  merchant integer, partition integer, questions integer[], first_days date[], last_days date[],
  first timestamptz, last timestamptz,
  OUT through bigint, OUT delayed_events bigint, OUT delayed_since bigint, OUT versions text[],
  OUT rollups_from float8, OUT quarter_hours float8[], OUT days float8[], OUT weeks float8[], OUT four_weeks float8[]
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT f.through, f.delayed_events, f.delayed_since INTO through, delayed_events, delayed_since
  FROM freshness(partition) f;
  versions := ARRAY (
    SELECT coalesce(sum(v.version), 0)::text
    FROM unnest(questions, first_days, last_days) AS s (question, first_day, last_day)
    LEFT JOIN day_versions v ON v.partition_id = partition AND v.day BETWEEN s.first_day AND s.last_day
    GROUP BY s.question
    ORDER BY s.question
  );
  SELECT extract(epoch FROM m.rollups_ready_from)::float8 * 1000 INTO rollups_from
  FROM merchants m WHERE m.merchant_id = merchant;
  quarter_hours := invalid_starts(partition, '15m', first, last);
  days := invalid_starts(partition, '1d', first, last);
  weeks := invalid_starts(partition, '7d', first, last);
  four_weeks := invalid_starts(partition, '28d', first, last);
END $$;
