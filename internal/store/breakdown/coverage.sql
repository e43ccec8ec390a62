-- From when on the daily aggregates hold the merchant's rows, ms since 1970-01-01 UTC (null: they hold none), and the
-- UTC days of a span that they lack. $1 merchant, $2 its partition, $3 start, $4 end.
SELECT
  (SELECT (extract(epoch FROM rollups_ready_from) * 1000)::float8 FROM merchants WHERE merchant_id = $1) AS ready_from,
  ARRAY (
    SELECT (extract(epoch FROM day) * 1000)::float8
    FROM stale_days
    WHERE partition_id = $2 AND day > $3::timestamptz - INTERVAL '1 day' AND day < $4
    UNION
    SELECT (extract(epoch FROM time_bucket(INTERVAL '1 day', bucket)) * 1000)::float8
    FROM stale_buckets
    WHERE partition_id = $2 AND bucket > $3::timestamptz - INTERVAL '1 day' AND bucket < $4::timestamptz + INTERVAL '1 day'
  ) AS stale_days
