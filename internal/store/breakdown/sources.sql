  -- A session's value is that of the first of its events that has a channel, also of those beside the span: only what is
  -- `inside` of it is counted.
  WITH visits AS MATERIALIZED (
    {{parts}}
  ), brought AS (
    SELECT DISTINCT ON (session_id) session_id, {{value}} COLLATE "C" AS value
    FROM visits
    WHERE channel IS NOT NULL
    ORDER BY session_id, first_time,
      channel COLLATE "C", source COLLATE "C", medium COLLATE "C", campaign COLLATE "C"
  )
  SELECT visits.*, brought.value
  FROM visits
  LEFT JOIN brought USING (session_id)
  WHERE inside
