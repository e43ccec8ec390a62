  SELECT {{inside}} AS inside, session_id, min(ts) AS first_time, channel, source, medium, campaign, {{columns}}
  FROM events
  WHERE merchant_id = $1 AND ts >= {{from}} AND ts < {{to}} {{people}}
  GROUP BY session_id, channel, source, medium, campaign{{keys}}
