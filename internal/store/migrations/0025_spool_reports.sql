-- What collectors have told of their spools: events that were acknowledged and are not in any stream yet. A report's
-- data_through stays behind them. A collector that vanished with its spool remains here until it tells again, or an
-- operator forgets it (admin spools forget).
CREATE TABLE spool_reports (
  -- The spool's own, from its file: a spool that moves to another host stays the same.
  spool_id uuid NOT NULL,
  partition_id integer NOT NULL,
  -- For people.
  collector_id text NOT NULL,
  events bigint NOT NULL CHECK (events >= 0),
  -- No event that it holds was acknowledged before this; null: it holds none.
  oldest_at timestamptz CHECK ((oldest_at IS NULL) = (events = 0)),
  -- What left the spool is on its way to the rows: until the partition is committed through left_until, nothing
  -- acknowledged since left_at is known to be there.
  left_at timestamptz,
  left_until timestamptz,
  reported_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (spool_id, partition_id)
);
