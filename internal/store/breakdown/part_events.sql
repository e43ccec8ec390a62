  -- The rows are scanned once and reduced to what differs: there are several to a visit. TimescaleDB reduces batches of
  -- the columnstore as they are, but only outside of a CTE and where no grouped column has a collation of its own; what
  -- is equal by a database's is so by "C".
  SELECT value COLLATE "C" AS value, {{names}}
  FROM (
    SELECT value, {{columns}}
    FROM (
{{rows}}
    ) valued
    GROUP BY value{{keys}}
  ) seen
