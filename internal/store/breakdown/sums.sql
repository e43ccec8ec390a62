-- Sums by the values of a dimension, largest first column first; over all of them in the first row.
-- $1 merchant, $2 most values, $3 and on: the bounds of the parts, two for each. values_found counts the values, absent
-- ones as one. A part may take away what another one has too much of: a value of which nothing is left is none.
WITH parts AS (
  {{parts}}
), valued AS MATERIALIZED (
  SELECT value, {{sums}}
  FROM parts
  GROUP BY value
  HAVING sum(cell_rows) > 0
), largest AS (
  SELECT * FROM valued ORDER BY c0 DESC, value NULLS LAST LIMIT $2::integer
)
SELECT true AS is_total, NULL AS value, count(*) AS values_found, {{totals}} FROM valued
UNION ALL
SELECT false, value, 0, {{columns}} FROM largest
ORDER BY is_total DESC, c0 DESC, value NULLS LAST
