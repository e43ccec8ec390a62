-- Writes sessions down, new ones and longer ones. $1 merchants, $2 visitors, $3 starts and $4 ends, ms, $5 ids.
INSERT INTO visitor_sessions (merchant_id, visitor_id, started_at, ended_at, session_id)
SELECT merchant_id, visitor_id, to_timestamp(start / 1000), to_timestamp("end" / 1000), session_id
FROM unnest($1::integer[], $2::bigint[], $3::float8[], $4::float8[], $5::bigint[])
  AS s (merchant_id, visitor_id, start, "end", session_id)
ON CONFLICT (merchant_id, visitor_id, started_at)
  DO UPDATE SET ended_at = excluded.ended_at, session_id = excluded.session_id
