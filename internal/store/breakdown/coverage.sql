-- From when on the aggregates hold the merchant's rows, ms since 1970-01-01 UTC (null: they hold none), and the days and
-- longer spans of [$3, $4) that they lack. $1 merchant, $2 its partition.
SELECT
  (SELECT (extract(epoch FROM rollups_ready_from) * 1000)::float8 FROM merchants WHERE merchant_id = $1) AS ready_from,
  ARRAY (
    SELECT (extract(epoch FROM day) * 1000)::float8
    FROM stale_days
    WHERE partition_id = $2 AND day >= $3 AND day < $4
    UNION
    SELECT (extract(epoch FROM time_bucket(INTERVAL '1 day', bucket)) * 1000)::float8
    FROM stale_buckets
    WHERE partition_id = $2 AND bucket >= $3 AND bucket < $4
  ) AS days,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM stale_spans
    WHERE days = 7 AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS weeks,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM stale_spans
    WHERE days = 28 AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS four_weeks
