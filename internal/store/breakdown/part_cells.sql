  SELECT {{value}} COLLATE "C" AS value, {{sign}} events AS cell_rows, {{cells}}
  FROM {{table}}
  WHERE merchant_id = $1 AND bucket >= {{from}} AND bucket < {{to}} {{people}}
