-- The stored sessions that new events of some visits may belong to. Row by row of the parameters: $1 number of a visit,
-- $2 merchant, $3 visitor, $4 and $5 the visit's earliest and latest new event, ms. $6 to $10 are the same for visitors
-- of whom only sessions that go on past midnight are asked: there are few, in an index of their own. $11 gap and
-- $12 longest session, ms; $13 and $14 the earliest of the new events and the latest, which let the planner leave
-- out chunks.
WITH found AS (
  SELECT n, visitor_id, session_id, started_at, ended_at
  FROM unnest($1::integer[], $2::integer[], $3::bigint[], $4::float8[], $5::float8[])
    AS visit (n, merchant_id, visitor_id, first, last)
  JOIN visitor_sessions s USING (merchant_id, visitor_id)
  WHERE s.started_at >= to_timestamp(($13::float8 - $12::float8) / 1000)
    AND s.started_at <= to_timestamp(($14::float8 + $11::float8) / 1000)
    AND s.started_at >= to_timestamp((first - $12::float8) / 1000)
    AND s.started_at <= to_timestamp((last + $11::float8) / 1000)
    AND s.ended_at >= to_timestamp((first - $11::float8) / 1000)
  UNION ALL
  SELECT n, visitor_id, session_id, started_at, ended_at
  FROM unnest($6::integer[], $7::integer[], $8::bigint[], $9::float8[], $10::float8[])
    AS visit (n, merchant_id, visitor_id, first, last)
  JOIN visitor_sessions s USING (merchant_id, visitor_id)
  WHERE s.is_past_midnight
    AND s.started_at >= to_timestamp(($13::float8 - $12::float8) / 1000)
    AND s.started_at <= to_timestamp(($14::float8 + $11::float8) / 1000)
    AND s.started_at >= to_timestamp((first - $12::float8) / 1000)
    AND s.ended_at >= to_timestamp((first - $11::float8) / 1000)
)
SELECT n, visitor_id, session_id, (extract(epoch FROM started_at) * 1000)::float8 AS start,
  (extract(epoch FROM ended_at) * 1000)::float8 AS "end"
FROM found ORDER BY n, started_at
