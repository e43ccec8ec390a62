-- How far a partition is committed, and what collectors are known to hold back of it. $1 partition. Times are epoch
-- milliseconds, rounded down. What is committed and not refreshed yet is counted from the rows, so that every answer
-- holds all of it. What left a spool counts as held back until it can be in the rows.
SELECT
  CASE WHEN p.committed_through IS NOT NULL
    THEN floor(extract(epoch FROM least(p.committed_through, held.since)) * 1000)::bigint END,
  coalesce(held.events, 0)::bigint,
  floor(extract(epoch FROM held.oldest_at) * 1000)::bigint
FROM partitions p
CROSS JOIN LATERAL (
  SELECT
    sum(r.events) AS events,
    min(r.oldest_at) AS oldest_at,
    min(least(r.oldest_at, CASE WHEN r.left_until > p.committed_through THEN r.left_at END)) AS since
  FROM spool_reports r
  WHERE r.partition_id = p.partition_id
) held
WHERE p.partition_id = $1
