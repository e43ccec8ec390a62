    SELECT *, {{value}} AS value
    FROM events
    WHERE merchant_id = $1 AND ts >= {{from}} AND ts < {{to}} {{people}}
