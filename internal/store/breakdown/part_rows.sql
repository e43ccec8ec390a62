  SELECT value COLLATE "C" AS value, {{sign}} count(*) AS cell_rows, {{sums}}
  FROM (
{{rows}}
  ) valued
  GROUP BY value
