-- Sums per bucket from the aggregate. $1 merchant, $2 first edge, $3 last edge, $4 all edges (quarter hours),
-- $5 the merchant's partition.
-- The aggregate lags behind the rows in the quarter hours that invalidations names for the partition. Those are
-- counted from the rows, so that the sums agree with what other statements of the same snapshot count from rows.
SELECT width_bucket(bucket, $4::timestamptz[]) AS bucket_number, {{sums}}
FROM (
  SELECT bucket, {{totals}}
  FROM totals_15m
  WHERE merchant_id = $1 AND bucket >= $2 AND bucket < $3 {{people}}
    AND bucket NOT IN (
      SELECT stale.start
      FROM invalidations stale
      WHERE stale.grain = '15m' AND stale.partition_id = $5 AND stale.start >= $2 AND stale.start < $3
    )
  UNION ALL
  SELECT stale.bucket, written.*
  FROM (SELECT start AS bucket, partition_id FROM invalidations WHERE grain = '15m') stale
  CROSS JOIN LATERAL (
    SELECT {{aggregates}}
    FROM events
    WHERE merchant_id = $1 AND ts >= stale.bucket AND ts < stale.bucket + INTERVAL '15 minutes' {{people}}
      -- Says nothing new, but lets the planner leave out the chunks outside of the span.
      AND ts >= $2 AND ts < $3
  ) written
  WHERE stale.partition_id = $5 AND stale.bucket >= $2 AND stale.bucket < $3
) quarter_hours
GROUP BY bucket_number
