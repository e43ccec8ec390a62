-- Sums by the values of a dimension, and different keys as a sample of the visitors has them; largest first column first,
-- over all of them in the first row. $1 merchant, $2 most values, $3 and on: the bounds of the parts, two for each, those
-- of the sample last. Sums are as in sums.sql, and tell which values there are. Behind the columns stand the number of
-- rows, and for each key the sum over the sampled visitors of their keys squared.
-- A key belongs to one visitor, so that each visitor's are counted alone; what both sides know of a value meets by
-- GROUP BY, as no join by hash takes absent values for equal.
WITH by_visitor AS (
  SELECT grouping(value) = 1 AS is_total, value, {{keys}}
  FROM (
    {{sample}}
  ) sampled
  GROUP BY GROUPING SETS ((value, visitor_id), (visitor_id))
), sampled AS MATERIALIZED (
  SELECT is_total, value, {{sampled}}
  FROM by_visitor
  GROUP BY is_total, value
), parts AS (
  {{parts}}
), valued AS MATERIALIZED (
  SELECT value, {{sums}}
  FROM (
    SELECT value, cell_rows, {{sum_names}}, {{no_keys}} FROM parts
    UNION ALL
    SELECT value, 0, {{no_sums}}, {{key_names}} FROM sampled WHERE NOT is_total
  ) known
  GROUP BY value
  HAVING sum(cell_rows) > 0
), answered AS (
  SELECT true AS is_total, NULL AS value, count(*) AS values_found, {{totals}} FROM valued
  UNION ALL
  SELECT false, value, 0, {{all_names}} FROM valued
)
SELECT is_total, value, values_found, {{answers}}, {{events}}, {{squares}}
FROM answered
ORDER BY is_total DESC, a0 DESC, value NULLS LAST
LIMIT $2::integer + 1
