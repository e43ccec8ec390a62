-- Old event keys go to the columnstore (docs/decisions/011).

-- Nobody claims an id while keys move.
LOCK TABLE event_keys IN SHARE ROW EXCLUSIVE MODE;

-- A chunk is converted as a whole, and nobody can claim a late id of it meanwhile: chunks are four weeks in place of 90
-- days, or four times what the events' were set to (maintenance/chunk-interval.ts). Those that are there stay.
SELECT set_chunk_time_interval(
  'event_keys',
  (SELECT least(greatest(4 * time_interval, INTERVAL '7 days'), INTERVAL '90 days')
   FROM timescaledb_information.dimensions WHERE hypertable_name = 'events' AND dimension_number = 1)
);

-- So that ids of all times together meet as many chunks as before and not three times as many, times inside ids count
-- from 2020 to 2050, not from 2010 to 2100. Hardly an id has another time; the keys of those that do go to the epoch,
-- where their copies are looked for from now on.
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
