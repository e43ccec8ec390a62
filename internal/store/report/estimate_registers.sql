-- How many HyperLogLog registers have which value, per bucket, and over the whole span in the rows whose bucket_number
-- is null. $1 merchant, $2 first edge, $3 last edge, $4 all edges (quarter hours), $5 the merchant's partition, $6 from
-- when on the aggregates have the merchant's rows (a UTC midnight), $7 the UTC months from then on that lie, but for
-- their first and last day, in one bucket, $8 and $9 starts and ends of what else of the span comes after $6, each piece
-- within one bucket.
-- Months that the aggregate has in full are taken from it, the rest from sessions_15m, and what that does not have
-- either from the rows: the registers of a union are the greater ones of its parts.
WITH late AS MATERIALIZED (
  SELECT stale.bucket
  FROM stale_buckets stale
  WHERE stale.partition_id = $5 AND stale.bucket >= greatest($2::timestamptz, $6::timestamptz) AND stale.bucket < $3
),
months AS MATERIALIZED (
  SELECT month, width_bucket(inside.start, $4::timestamptz[]) AS bucket_number, inside.*, NOT EXISTS (
      SELECT FROM stale_months stale WHERE stale.partition_id = $5 AND stale.month = months.month
      UNION ALL
      SELECT FROM stale_days stale
      WHERE stale.partition_id = $5 AND stale.day >= inside.start AND stale.day < inside.stop
      UNION ALL
      SELECT FROM late WHERE late.bucket >= inside.start AND late.bucket < inside.stop
    ) AS is_full
  FROM unnest($7::timestamptz[]) AS months (month)
  CROSS JOIN LATERAL (
    SELECT month + INTERVAL '24 hours' AS start,
      (month AT TIME ZONE 'UTC' + INTERVAL '1 month - 1 day') AT TIME ZONE 'UTC' AS stop
  ) inside
),
pieces AS MATERIALIZED (
  SELECT piece.* FROM unnest($8::timestamptz[], $9::timestamptz[]) AS piece (start, stop)
  UNION ALL
  SELECT start, stop FROM months WHERE NOT is_full
),
registers AS (
  SELECT months.bucket_number, register, lowest_bit
  FROM {{registers}}_1mo
  JOIN months ON month = bucket AND is_full
  WHERE merchant_id = $1 AND bucket = ANY (ARRAY(SELECT month FROM months WHERE is_full)) {{people}}
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
    SELECT {{register}}, max({{lowest_bit}})
    FROM events
    WHERE merchant_id = $1 AND ts >= late.bucket AND ts < late.bucket + INTERVAL '15 minutes' {{people}}
      -- Says nothing new, but lets the planner leave out the chunks outside of the span.
      AND ts >= $2 AND ts < $3
    GROUP BY {{register}}
  ) written
  UNION ALL
  SELECT width_bucket(ts, $4::timestamptz[]), {{register}}, {{lowest_bit}}
  FROM events
  WHERE merchant_id = $1 AND ts >= $2 AND ts < least($3::timestamptz, $6::timestamptz) {{people}}
),
merged AS MATERIALIZED (
  SELECT bucket_number, register, max(lowest_bit) AS lowest_bit
  FROM registers
  GROUP BY bucket_number, register
)
SELECT bucket_number, lowest_bit, count(*)
FROM merged
GROUP BY bucket_number, lowest_bit
UNION ALL
SELECT NULL, lowest_bit, count(*)
FROM (SELECT register, max(lowest_bit) AS lowest_bit FROM merged GROUP BY register) whole
GROUP BY lowest_bit
