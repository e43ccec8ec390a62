-- What aggregates hold of a merchant: from when on (ms since 1970-01-01 UTC; null: nothing), and the starts of the units
-- in [$3, $4) of which they hold less, or something else, than the rows are. $1 merchant, $2 its partition.
SELECT
  (SELECT (extract(epoch FROM rollups_ready_from) * 1000)::float8 FROM merchants WHERE merchant_id = $1) AS rollups_from,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM invalidations WHERE grain = '15m' AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS quarter_hours,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM invalidations WHERE grain = '1d' AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS days,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM invalidations WHERE grain = '7d' AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS weeks,
  ARRAY (
    SELECT (extract(epoch FROM start) * 1000)::float8
    FROM invalidations WHERE grain = '28d' AND partition_id = $2 AND start >= $3 AND start < $4
  ) AS four_weeks
