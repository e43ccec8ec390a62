-- What merchants call a success: an event's name, a pattern of its page, or both. Reports find the events that reach a
-- goal in the raw rows when they are asked, so that a goal counts what happened before it was made.
CREATE TABLE goals (
  merchant_id integer NOT NULL REFERENCES merchants ON DELETE CASCADE,
  -- From 1 on for each merchant, never used again.
  goal_id integer NOT NULL CHECK (goal_id > 0),
  name text NOT NULL CHECK (name <> ''),
  event_name text,
  -- Over the event's path: * for anything within a segment, ** for anything (docs/goals.md).
  page_pattern text,
  -- What reaching it once is worth, in the merchant's currency; null: the revenue of the event that reaches it.
  value_micros bigint CHECK (value_micros >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Removed: no report has it any more, and its name is free.
  archived_at timestamptz,
  CHECK (event_name IS NOT NULL OR page_pattern IS NOT NULL),
  PRIMARY KEY (merchant_id, goal_id)
);
CREATE UNIQUE INDEX goals_name ON goals (merchant_id, name) WHERE archived_at IS NULL;
