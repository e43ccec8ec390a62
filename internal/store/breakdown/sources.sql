-- Counts by what brought visits, largest first column first; over all of them in the first row.
-- $1 merchant, $2 most values, $3 and on: the bounds of the parts, two for each. values_found counts the values, absent
-- ones as one. A session's value is that of the first of its events that has a channel, also of those beside the span:
-- only what is `inside` of it is counted.
WITH visits AS MATERIALIZED (
  {{parts}}
), brought AS (
  SELECT DISTINCT ON (session_id) session_id, {{value}} COLLATE "C" AS value
  FROM visits
  WHERE channel IS NOT NULL
  ORDER BY session_id, first_time,
    channel COLLATE "C", source COLLATE "C", medium COLLATE "C", campaign COLLATE "C"
)
SELECT grouping(value) = 1 AS is_total, value, count(*) OVER () - 1 AS values_found, {{counts}}
FROM (
  SELECT visits.*, brought.value
  FROM visits
  LEFT JOIN brought USING (session_id)
  WHERE inside
) counted
GROUP BY GROUPING SETS ((value), ())
ORDER BY is_total DESC, c0 DESC, value NULLS LAST
LIMIT $2::integer + 1
