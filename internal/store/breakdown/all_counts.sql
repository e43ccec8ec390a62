-- Counts by the values of a dimension, largest first column first; over all of them in the first row.
-- $1 merchant, $2 most values, $3 and on: the bounds of the parts, two for each. values_found counts the values, absent
-- ones as one. Different keys are counted by sorting, which takes less than hash tables of so many.
SELECT grouping(value) = 1 AS is_total, value, count(*) OVER () - 1 AS values_found, {{counts}}
FROM (
  {{rows}}
) counted
GROUP BY GROUPING SETS ((value), ())
ORDER BY is_total DESC, c0 DESC, value NULLS LAST
LIMIT $2::integer + 1
