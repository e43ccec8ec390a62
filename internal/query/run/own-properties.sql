-- Names of the properties that a merchant's newest rows have. $1: the merchant, $2: none is older, $3: how many rows,
-- $4: how many names. So many rows are read whether they have properties or not: it costs the same for every merchant.
SELECT key AS name, bool_or(jsonb_typeof(value) = 'number') AS is_numeric
FROM (
  SELECT properties FROM events
  WHERE merchant_id = $1::integer AND ts >= $2::timestamptz
  ORDER BY ts DESC
  LIMIT $3::integer
) newest, jsonb_each(properties)
WHERE jsonb_typeof(properties) = 'object'
GROUP BY key
ORDER BY count(*) DESC, key COLLATE "C"
LIMIT $4::integer
