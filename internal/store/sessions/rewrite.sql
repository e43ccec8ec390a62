-- Gives the events of a session, and their items, the visitor and the id of the one that it became part of. $1 merchant,
-- $2 old visitor, $3 old session, $4 new visitor, $5 new session, $6 and $7 first and last event, ms. Where the visitor
-- becomes another, also events whose session an SDK named: they keep that.
WITH rewritten_items AS (
  UPDATE items SET visitor_id = $4, session_id = CASE WHEN session_id = $3 THEN $5 ELSE session_id END
  WHERE merchant_id = $1 AND visitor_id = $2 AND (session_id = $3 OR $2::bigint <> $4::bigint)
    AND ts >= to_timestamp($6::float8 / 1000) AND ts <= to_timestamp($7::float8 / 1000)
)
UPDATE events SET visitor_id = $4, session_id = CASE WHEN session_id = $3 THEN $5 ELSE session_id END
WHERE merchant_id = $1 AND visitor_id = $2 AND (session_id = $3 OR $2::bigint <> $4::bigint)
  AND ts >= to_timestamp($6::float8 / 1000) AND ts <= to_timestamp($7::float8 / 1000)
