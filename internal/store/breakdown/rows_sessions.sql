    -- A session may have begun before the span, and go on behind it: by a day at most, as sessions are cut then.
    SELECT events.*, decided.value
    FROM events
    LEFT JOIN (
      SELECT DISTINCT ON (session_id) session_id, {{value}} AS value
      FROM events
      WHERE merchant_id = $1 AND ts >= {{from}} - INTERVAL '24 hours' AND ts < {{to}} + INTERVAL '24 hours'
        AND {{decides}} {{people}}
      ORDER BY session_id, {{order}}
    ) decided USING (session_id)
    WHERE merchant_id = $1 AND ts >= {{from}} AND ts < {{to}} {{people}}
