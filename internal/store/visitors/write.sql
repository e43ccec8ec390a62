-- Notes when visitors were first seen. Row by row of the parameters: $1 merchants, $2 visitors, $3 the earliest of their
-- new events of people, and $4 of bots, ms or null, $5 the first of the month (UTC) of the latest, in days since 1970.
-- Only what changes is written: also a row that is updated with itself is a new row, and an entry in the log. Looked
-- for one by one (LIMIT), as the planner would read all of a table whose size it does not know. In the order of the key:
-- neighbours meet the same pages.
INSERT INTO visitors AS v (merchant_id, visitor_id, people_first_time, bots_first_time, seen_month)
SELECT merchant_id, visitor_id, people, bots, month
FROM (
  SELECT merchant_id, visitor_id, to_timestamp(people / 1000) AS people, to_timestamp(bots / 1000) AS bots,
    DATE '1970-01-01' + days AS month
  FROM unnest($1::integer[], $2::bigint[], $3::float8[], $4::float8[], $5::integer[])
    AS g (merchant_id, visitor_id, people, bots, days)
) seen
WHERE NOT EXISTS (
  SELECT FROM visitors k
  WHERE k.merchant_id = seen.merchant_id AND k.visitor_id = seen.visitor_id
    AND k.seen_month >= seen.month
    AND (seen.people IS NULL OR k.people_first_time <= seen.people)
    AND (seen.bots IS NULL OR k.bots_first_time <= seen.bots)
  LIMIT 1
)
ORDER BY merchant_id, visitor_id
ON CONFLICT (merchant_id, visitor_id) DO UPDATE SET
  people_first_time = least(v.people_first_time, excluded.people_first_time),
  bots_first_time = least(v.bots_first_time, excluded.bots_first_time),
  seen_month = greatest(v.seen_month, excluded.seen_month)
