-- About how many events a merchant has in a span. $1 merchant, $2 start, $3 end.
SELECT coalesce(sum(events), 0)::bigint
FROM totals_15m
WHERE merchant_id = $1 AND bucket >= $2 AND bucket < $3
