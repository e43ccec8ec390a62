-- Counts by the values of a dimension, largest first column first; over all of them in the first row.
-- $1 merchant, $2 start, $3 end, $4 most values. values_found counts the values, absent ones as one.
SELECT grouping(value) = 1 AS is_total, value, count(*) OVER () - 1 AS values_found, {{counts}}
FROM (
  SELECT *, {{value}} COLLATE "C" AS value
  FROM events
  WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 {{people}}
) valued
GROUP BY GROUPING SETS ((value), ())
ORDER BY is_total DESC, c0 DESC, value NULLS LAST
LIMIT $4::integer + 1
