-- Different keys per bucket, and over the whole span in the row whose bucket_number is null.
-- $1 merchant, $2 first edge, $3 last edge, $4 all edges.
-- The rows are scanned once and reduced to what differs before anything is sorted: on a million events half
-- the time of count(DISTINCT) over the rows themselves.
SELECT bucket_number, {{counts}}
FROM (
  SELECT DISTINCT width_bucket(ts, $4::timestamptz[]) AS bucket_number, {{keys}}
  FROM events
  WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 {{people}}
) seen
GROUP BY GROUPING SETS ((bucket_number), ())
