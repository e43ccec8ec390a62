-- From when on a merchant has so many events, by the quarter hours: what is not refreshed yet comes on top. $1: the
-- merchant, $2: no earlier than that, $3: how many.
SELECT coalesce(max(bucket), $2::timestamptz) AS since
FROM (
  SELECT bucket, sum(events) OVER (ORDER BY bucket DESC) AS so_far
  FROM totals_15m
  WHERE merchant_id = $1::integer AND bucket >= $2::timestamptz
) quarter_hours
WHERE so_far >= $3::integer
