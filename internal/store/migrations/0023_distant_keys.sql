-- Keys of ids whose inner time is far from when their event was received: clocks that stand, ids made up. They are
-- forgotten by when they were received, like those of the epoch, and so have received_at too (store/event-keys.ts).

-- Where such keys are, by whole weeks and spans of 28 days since 1970: a row for each, however many keys it stands for.
-- Retention finds them by it, and keeps their chunks. Written in the transaction of its keys; a merchant's are written
-- by one transaction at a time, as its partition's position is.
CREATE TABLE distant_keys (
  merchant_id integer NOT NULL,
  -- Of the time inside the id: 28 days from here on.
  key_span timestamptz NOT NULL,
  -- Seven days from here on.
  received_week timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, key_span, received_week)
);
CREATE INDEX ON distant_keys (key_span);
CREATE INDEX ON distant_keys (received_week);
