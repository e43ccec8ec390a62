-- Distinct visitors and sessions of large merchants, without reading every event.

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

-- The new aggregates are empty. Every quarter hour with rows of large merchants is noted as stale, for the partitions
-- that wrote to it, as 0003 does; as their refresh clears them, their days are noted, and then their months.
INSERT INTO stale_buckets (bucket, partition_id, written_seq)
SELECT DISTINCT written.bucket, ((h3 # (h3 >> 16)) % installation.partitions)::integer, -1
FROM (
  SELECT DISTINCT merchant_id::bigint AS id, time_bucket(INTERVAL '15 minutes', ts) AS bucket
  FROM events WHERE in_rollups
) written
CROSS JOIN installation
CROSS JOIN LATERAL (SELECT ((id # (id >> 16))::numeric * 2246822507 % 4294967296)::bigint AS h2) second
CROSS JOIN LATERAL (SELECT ((h2 # (h2 >> 13))::numeric * 3266489909 % 4294967296)::bigint AS h3) third
ON CONFLICT (bucket, partition_id) DO UPDATE SET written_seq = excluded.written_seq;
