-- Different keys at some values of a dimension, and over all rows in the row with is_total.
-- $1 merchant, $2 the values, $3 whether the rows without a value are asked for, $4 start, $5 end.
-- The rows are scanned once and reduced to what differs before anything is sorted.
WITH seen AS MATERIALIZED (
  SELECT DISTINCT
    CASE WHEN value IS NULL THEN $3::boolean ELSE value = ANY ($2::text[]) END AS is_asked_for,
    CASE WHEN value = ANY ($2::text[]) THEN value END AS value,
    {{keys}}
  FROM (
{{rows}}
  ) valued
)
SELECT grouping(value) = 1 AS is_total, value, {{counts}}
FROM seen
GROUP BY GROUPING SETS ((is_asked_for, value), ())
HAVING grouping(value) = 1 OR is_asked_for
