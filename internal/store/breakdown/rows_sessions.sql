    -- A session may have begun before the span, and go on behind it: by a day at most, as sessions are cut then.
    SELECT events.*, page_view.value
    FROM events
    LEFT JOIN (
      SELECT DISTINCT ON (session_id) session_id, {{value}} AS value
      FROM events
      WHERE merchant_id = $1 AND ts >= {{from}} - INTERVAL '24 hours' AND ts < {{to}} + INTERVAL '24 hours'
        AND name = 'page_view' {{people}}
      ORDER BY session_id, ts {{direction}}, event_id {{direction}}
    ) page_view USING (session_id)
    WHERE merchant_id = $1 AND ts >= {{from}} AND ts < {{to}} {{people}}
