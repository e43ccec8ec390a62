-- Counts by the values of a dimension, largest first column first; over all of them in the first row.
-- $1 merchant, $2 most values, $3 start, $4 end. values_found counts the values, absent ones as one.
-- The rows are scanned once and reduced to what differs before different keys are counted, which sorts: there are
-- several rows to a visit.
WITH seen AS MATERIALIZED (
  SELECT value, {{parts}}
  FROM (
{{rows}}
  ) valued
  GROUP BY value{{keys}}
)
SELECT grouping(value) = 1 AS is_total, value, count(*) OVER () - 1 AS values_found, {{counts}}
FROM seen
GROUP BY GROUPING SETS ((value), ())
ORDER BY is_total DESC, c0 DESC, value NULLS LAST
LIMIT $2::integer + 1
