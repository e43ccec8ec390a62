-- Sessions that go on past midnight (UTC). A visitor without an id is another one on the next day, and is asked for
-- by the one of the day before as long as such a session may go on: few are, so that they have an index of their own.
ALTER TABLE visitor_sessions ADD COLUMN is_past_midnight boolean NOT NULL
  GENERATED ALWAYS AS ((started_at AT TIME ZONE 'UTC')::date <> (ended_at AT TIME ZONE 'UTC')::date) STORED;
CREATE INDEX ON visitor_sessions (merchant_id, visitor_id) WHERE is_past_midnight;
