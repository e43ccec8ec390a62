-- Aggregates per bucket from raw events. $1 merchant, $2 first edge, $3 last edge, $4 all edges.
SELECT width_bucket(ts, $4::timestamptz[]) AS bucket_number, {{aggregates}}
FROM events
WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 {{people}}
GROUP BY bucket_number
