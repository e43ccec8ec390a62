-- From when on the aggregates hold the merchant's rows, ms since 1970-01-01 UTC (null: they hold none), and the days and
-- longer spans of [$3, $4) that they lack. $1 merchant, $2 its partition.
SELECT
  (SELECT (extract(epoch FROM rollups_ready_from) * 1000)::float8 FROM merchants WHERE merchant_id = $1) AS ready_from,
  ARRAY (
    SELECT (extract(epoch FROM time_bucket(INTERVAL '1 day', start)) * 1000)::float8
    FROM invalidations
    WHERE grain IN ('15m', '1d') AND partition_id = $2 AND start >= $3 AND start < $4
    GROUP BY 1
  ) AS days,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM invalidations
    WHERE grain = '7d' AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS weeks,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM invalidations
    WHERE grain = '28d' AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS four_weeks
