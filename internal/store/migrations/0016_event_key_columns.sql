-- Old event keys go to the columnstore (docs/decisions/011).

-- Nobody claims an id while keys move.
LOCK TABLE event_keys IN SHARE ROW EXCLUSIVE MODE;

-- A chunk is converted as a whole, and nobody can claim a late id of it meanwhile: chunks are a month in place of 90
-- days. So that ids of all times together meet no more of them than before, times inside ids count from 2020 to 2050,
-- not from 2010 to 2100. Hardly an id has another time; the keys of those that do go to the epoch, where copies are
-- looked for from now on. Chunks that are there stay as they are.
SELECT set_chunk_time_interval('event_keys', INTERVAL '30 days');
INSERT INTO event_keys (key_time, merchant_id, event_id, received_at)
SELECT to_timestamp(0), merchant_id, event_id, now() FROM event_keys
WHERE key_time >= '2010-01-01Z' AND key_time < '2020-01-01Z' OR key_time >= '2050-01-01Z';
DELETE FROM event_keys
WHERE key_time >= '2010-01-01Z' AND key_time < '2020-01-01Z' OR key_time >= '2050-01-01Z';
-- An aggregator of before, which looks such an id up where it was, is refused: its batch is set aside, and counts when
-- it is redriven. The keys that are there fit.
ALTER TABLE event_keys ADD CONSTRAINT event_keys_time
  CHECK (key_time = to_timestamp(0) OR (key_time >= '2020-01-01Z' AND key_time < '2050-01-01Z')) NOT VALID;

-- By merchant, so that looking an id up reads that merchant's segments alone, by their index; in the order of the id,
-- which is that of time in a UUIDv7. Chunks are converted by the aggregator (store/maintenance); the one of the epoch
-- stays rows.
ALTER TABLE event_keys SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = 'merchant_id',
  timescaledb.compress_orderby = 'event_id'
);
