-- What events reached of a merchant's goals, per bucket, and over the whole span in the row whose bucket_number is null.
-- $1 merchant, $2 first edge, $3 last edge, $4 all edges, from $5 on the texts of the goals' conditions.
-- The rows are scanned once: each gets a bit for every goal that it reaches, and what is counted by visitor and bits is
-- far less. OFFSET 0 keeps the planner from writing out the page's expression once for each goal that looks at it.
WITH reached AS MATERIALIZED (
  SELECT width_bucket(ts, $4::timestamptz[]) AS bucket_number, visitor_id, {{goals}} AS goals,
    count(*) AS events, {{revenue}} AS revenue, {{unconverted}} AS unconverted
  FROM (
    SELECT *, {{page}} AS goal_page
    FROM events
    WHERE merchant_id = $1 AND ts >= $2 AND ts < $3 {{people}}
    OFFSET 0
  ) paged
  GROUP BY bucket_number, visitor_id, goals
)
SELECT bucket_number, count(DISTINCT visitor_id){{counts}}
FROM reached
GROUP BY GROUPING SETS ((bucket_number), ())
