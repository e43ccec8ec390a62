-- The stored sessions that new events of some visitors may belong to. Row n of the parameters is one visitor:
-- $1 merchants, $2 visitors, $3 and $4 earliest and latest new event, ms; $5 gap and $6 longest session, ms; $7 and
-- $8 the earliest of $3 and the latest of $4, which let the planner leave out chunks.
SELECT n::integer, session_id, (extract(epoch FROM started_at) * 1000)::float8 AS start,
  (extract(epoch FROM ended_at) * 1000)::float8 AS "end"
FROM unnest($1::integer[], $2::bigint[], $3::float8[], $4::float8[])
  WITH ORDINALITY AS visit (merchant_id, visitor_id, first, last, n)
JOIN visitor_sessions s USING (merchant_id, visitor_id)
WHERE s.started_at >= to_timestamp(($7::float8 - $6::float8) / 1000)
  AND s.started_at <= to_timestamp(($8::float8 + $5::float8) / 1000)
  AND s.started_at >= to_timestamp((first - $6::float8) / 1000)
  AND s.started_at <= to_timestamp((last + $5::float8) / 1000)
  AND s.ended_at >= to_timestamp((first - $5::float8) / 1000)
ORDER BY n, started_at
