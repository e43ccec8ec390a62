  SELECT {{inside}} AS inside, session_id, first_time, channel, source, medium, campaign, {{columns}}
  FROM {{table}}
  WHERE merchant_id = $1 AND bucket >= {{from}} AND bucket < {{to}} {{people}}
