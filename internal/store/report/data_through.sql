-- How far a partition is committed, epoch milliseconds, rounded down. $1 partition. What is committed and not
-- refreshed yet is counted from the rows, so that every answer holds all of it.
SELECT floor(extract(epoch FROM committed_through) * 1000)::bigint
FROM partitions
WHERE partition_id = $1
