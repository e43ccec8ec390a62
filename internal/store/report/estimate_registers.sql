-- How many HyperLogLog registers have which value, per bucket, and over the whole span in the rows whose bucket_number
-- is null. $1 merchant, $2 first edge, $3 last edge, $4 all edges (quarter hours), $5 the merchant's partition, $6 from
-- when on the aggregates have the merchant's rows (a UTC midnight), $7 the UTC days from then on that lie in one bucket,
-- $8 and $9 starts and ends of what else of the span comes after $6, each piece within one bucket.
-- Months and days that the aggregates have in full are taken from them, the rest from sessions_15m, and what that does
-- not have either from the rows: the registers of a union are the greater ones of its parts.
WITH late AS MATERIALIZED (
  SELECT stale.bucket, time_bucket(INTERVAL '1 day', stale.bucket) AS day
  FROM stale_buckets stale
  WHERE stale.partition_id = $5 AND stale.bucket >= greatest($2::timestamptz, $6::timestamptz) AND stale.bucket < $3
),
days AS MATERIALIZED (
  SELECT day, date_trunc('month', day, 'UTC') AS month, width_bucket(day, $4::timestamptz[]) AS bucket_number
  FROM unnest($7::timestamptz[]) AS day
  WHERE day NOT IN (SELECT late.day FROM late)
    AND day NOT IN (SELECT stale.day FROM stale_days stale WHERE stale.partition_id = $5)
),
months AS MATERIALIZED (
  SELECT month
  FROM days
  WHERE month NOT IN (SELECT stale.month FROM stale_months stale WHERE stale.partition_id = $5)
  GROUP BY month
  HAVING min(bucket_number) = max(bucket_number)
    AND count(*) = extract(day FROM month AT TIME ZONE 'UTC' + INTERVAL '1 month - 1 day')
),
pieces AS MATERIALIZED (
  SELECT piece.* FROM unnest($8::timestamptz[], $9::timestamptz[]) AS piece (start, stop)
  UNION ALL
  SELECT day, day + INTERVAL '24 hours' FROM unnest($7::timestamptz[]) AS day
  WHERE day NOT IN (SELECT days.day FROM days)
),
registers AS (
  SELECT width_bucket(bucket, $4::timestamptz[]) AS bucket_number, register, lowest_bit
  FROM {{registers}}_1mo
  WHERE merchant_id = $1 AND bucket >= $2 AND bucket < $3 {{people}}
    AND bucket = ANY (ARRAY(SELECT month FROM months))
  UNION ALL
  SELECT width_bucket(bucket, $4::timestamptz[]), register, lowest_bit
  FROM {{registers}}_1d
  WHERE merchant_id = $1 AND bucket >= $2 AND bucket < $3 {{people}}
    AND bucket = ANY (ARRAY(SELECT day FROM days WHERE month NOT IN (SELECT months.month FROM months)))
  UNION ALL
  SELECT width_bucket(piece.start, $4::timestamptz[]), seen.*
  FROM pieces piece
  CROSS JOIN LATERAL (
    SELECT {{register}}, max({{lowest_bit}})
    FROM sessions_15m
    WHERE merchant_id = $1 AND bucket >= piece.start AND bucket < piece.stop {{people}}
      AND bucket NOT IN (SELECT late.bucket FROM late)
    GROUP BY {{register}}
  ) seen
  UNION ALL
  SELECT width_bucket(late.bucket, $4::timestamptz[]), written.*
  FROM late
  CROSS JOIN LATERAL (
    SELECT {{register}}, {{lowest_bit}}
    FROM events
    WHERE merchant_id = $1 AND ts >= late.bucket AND ts < late.bucket + INTERVAL '15 minutes' {{people}}
  ) written
  UNION ALL
  SELECT width_bucket(ts, $4::timestamptz[]), {{register}}, {{lowest_bit}}
  FROM events
  WHERE merchant_id = $1 AND ts >= $2 AND ts < least($3::timestamptz, $6::timestamptz) {{people}}
)
SELECT bucket_number, lowest_bit, count(*)
FROM (
  SELECT bucket_number, register, max(lowest_bit) AS lowest_bit
  FROM registers
  GROUP BY GROUPING SETS ((bucket_number, register), (register))
) merged
GROUP BY bucket_number, lowest_bit
