-- Different keys per bucket, and over the whole span in the row whose bucket_number is null, of a merchant with rollups.
-- $1 merchant, $2 first edge, $3 last edge, $4 all edges (quarter hours), $5 the merchant's partition, $6 from when on
-- sessions_15m has the merchant's rows (a quarter hour).
-- What came before that, and the quarter hours in which the aggregate lags behind (invalidations), are read from the
-- rows. Sorting the few rows of the aggregate costs less than making them different first, as distinct_events.sql does;
-- a CTE in between, a sixth more.
SELECT bucket_number, {{counts}}
FROM (
  SELECT width_bucket(bucket, $4::timestamptz[]) AS bucket_number, {{keys}}
  FROM sessions_15m
  WHERE merchant_id = $1 AND bucket >= greatest($2::timestamptz, $6::timestamptz) AND bucket < $3 {{people}}
    AND bucket NOT IN (
      SELECT stale.start
      FROM invalidations stale
      WHERE stale.grain = '15m' AND stale.partition_id = $5 AND stale.start >= $2 AND stale.start < $3
    )
  UNION ALL
  SELECT width_bucket(stale.bucket, $4::timestamptz[]), written.*
  FROM (SELECT start AS bucket, partition_id FROM invalidations WHERE grain = '15m') stale
  CROSS JOIN LATERAL (
    SELECT DISTINCT {{keys}}
    FROM events
    WHERE merchant_id = $1 AND ts >= stale.bucket AND ts < stale.bucket + INTERVAL '15 minutes' {{people}}
      -- Says nothing new, but lets the planner leave out the chunks outside of the span.
      AND ts >= $2 AND ts < $3
  ) written
  WHERE stale.partition_id = $5 AND stale.bucket >= greatest($2::timestamptz, $6::timestamptz) AND stale.bucket < $3
  UNION ALL
  SELECT DISTINCT width_bucket(ts, $4::timestamptz[]), {{keys}}
  FROM events
  WHERE merchant_id = $1 AND ts >= $2 AND ts < least($3::timestamptz, $6::timestamptz) {{people}}
) seen
GROUP BY GROUPING SETS ((bucket_number), ())
