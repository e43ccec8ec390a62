-- What aggregates hold of a merchant: from when on (ms since 1970-01-01 UTC; null: nothing), and the starts of the units
-- in [$3, $4) of which they hold less, or something else, than the rows are. $1 merchant, $2 its partition.
SELECT
  (SELECT (extract(epoch FROM rollups_ready_from) * 1000)::float8 FROM merchants WHERE merchant_id = $1) AS rollups_from,
  ARRAY (
    SELECT (extract(epoch FROM bucket) * 1000)::float8
    FROM stale_buckets WHERE partition_id = $2 AND bucket >= $3 AND bucket < $4
  ) AS quarter_hours,
  ARRAY (
    SELECT (extract(epoch FROM day) * 1000)::float8
    FROM stale_days WHERE partition_id = $2 AND day >= $3 AND day < $4
  ) AS days,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM stale_spans WHERE days = 7 AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS weeks,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM stale_spans WHERE days = 28 AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS four_weeks
