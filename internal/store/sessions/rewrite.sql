-- Gives the events of a session the id of the one that it became part of. $1 merchant, $2 visitor, $3 old and $4 new
-- session, $5 and $6 first and last event, ms.
UPDATE events SET session_id = $4
WHERE merchant_id = $1 AND visitor_id = $2 AND session_id = $3
  AND ts >= to_timestamp($5::float8 / 1000) AND ts <= to_timestamp($6::float8 / 1000)
