  SELECT {{value}} COLLATE "C" AS value, visitor_id, {{keys}}
  FROM {{table}}
  WHERE merchant_id = $1 AND {{time}} >= {{from}} AND {{time}} < {{to}} AND {{sampled}} {{people}}
