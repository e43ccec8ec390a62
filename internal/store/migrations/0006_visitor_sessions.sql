-- Sessions of visitors whose SDK names none: found by 30 minutes without activity. One row a session; the rows of a
-- visitor are apart by more than that, but for one that was cut at 24 hours. Written in the transaction of the events.
CREATE TABLE visitor_sessions (
  merchant_id integer NOT NULL,
  visitor_id bigint NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  session_id bigint NOT NULL,
  PRIMARY KEY (merchant_id, visitor_id, started_at)
);
SELECT create_hypertable('visitor_sessions', by_range('started_at', INTERVAL '30 days'),
  create_default_indexes => false);
