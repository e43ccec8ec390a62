-- The columnstore of raw rows. Ordered by merchant, so that a merchant's rows are neighbours in it, and not segmented:
-- most merchants have too few rows to fill a segment. Chunks are converted by the aggregator (store/maintenance).
ALTER TABLE events SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = '',
  timescaledb.compress_orderby = 'merchant_id, ts'
);
ALTER TABLE items SET (
  timescaledb.compress,
  timescaledb.compress_segmentby = '',
  timescaledb.compress_orderby = 'merchant_id, ts'
);

-- How far the rows of merchants with a retention shorter than the longest have been forgotten, by retention.
CREATE TABLE retention_progress (
  retention_days integer PRIMARY KEY,
  expired_through timestamptz NOT NULL
);
