  SELECT {{value}} COLLATE "C" AS value, {{columns}}
  FROM {{table}}
  WHERE merchant_id = $1 AND bucket >= {{from}} AND bucket < {{to}} {{people}}
