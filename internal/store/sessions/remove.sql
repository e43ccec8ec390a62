-- Forgets sessions that became part of another or begin earlier now. $1 merchants, $2 visitors, $3 starts, ms; $4 and
-- $5 the earliest and latest of them.
DELETE FROM visitor_sessions s
USING unnest($1::integer[], $2::bigint[], $3::float8[]) AS gone (merchant_id, visitor_id, start)
WHERE s.merchant_id = gone.merchant_id AND s.visitor_id = gone.visitor_id
  AND s.started_at = to_timestamp(gone.start / 1000)
  AND s.started_at >= to_timestamp($4::float8 / 1000) AND s.started_at <= to_timestamp($5::float8 / 1000)
