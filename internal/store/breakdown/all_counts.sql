-- Counts by the values of a dimension, largest first column first; over all of them in the first row.
-- $1 merchant, $2 most values, $3 start, $4 end. values_found counts the values, absent ones as one.
-- The rows are scanned once and reduced to what differs before different keys are counted, which sorts: there are
-- several rows to a visit. TimescaleDB reduces batches of the columnstore as they are, but only outside of a CTE and
-- where no grouped column has a collation of its own; what is equal by any of a database's is so by "C".
SELECT grouping(value) = 1 AS is_total, value, count(*) OVER () - 1 AS values_found, {{counts}}
FROM (
  SELECT value COLLATE "C" AS value, {{columns}}
  FROM (
    SELECT value, {{parts}}
    FROM (
{{rows}}
    ) valued
    GROUP BY value{{keys}}
  ) seen
) sorted
GROUP BY GROUPING SETS ((value), ())
ORDER BY is_total DESC, c0 DESC, value NULLS LAST
LIMIT $2::integer + 1
