-- Which aggregator works what. All times are this database's now(), so that the clock of a process changes
-- nothing. Leases decide who should work; that only one can commit is up to partitions.stream_seq.

-- The aggregators of this installation, one row a process.
CREATE TABLE aggregators (
  instance_id uuid PRIMARY KEY,
  -- The partitions that it may work; null for all.
  candidates integer[],
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  -- Until then it gets a share of the partitions, longer if it is seen again.
  alive_until timestamptz NOT NULL
);

-- What only one aggregator does at a time: partition/<n>, and refresher. A table of its own, so that renewing
-- does not wait for commits, which hold the rows of partitions.
CREATE TABLE leases (
  resource text PRIMARY KEY,
  -- Null: given back.
  owner_id uuid,
  acquired_at timestamptz,
  until timestamptz,
  CHECK ((owner_id IS NULL) = (until IS NULL))
) WITH (fillfactor = 50);
