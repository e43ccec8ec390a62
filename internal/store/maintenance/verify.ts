import { CONTINUOUS_AGGREGATES, grainOfAggregate } from "../continuous-aggregates.ts";
import { invalidStartsSql } from "../invalidations.ts";
import { type Client, type Pool, transaction } from "../pool.ts";
import { definitionOf } from "../try-refresh.ts";

/** A bucket of a continuous aggregate that differs from a recount of the rows below it. */
export interface Mismatch {
  readonly aggregate: string;
  /** Ms since 1970-01-01 UTC. */
  readonly bucket: number;
  /** Aggregate rows that are wrong, too many or missing. */
  readonly rows: number;
}

export interface VerifyRange {
  /** Ms since 1970-01-01 UTC, [from, to); whole UTC days, or quarter hours where no daily aggregate is meant. A longer bucket is compared as a whole with its first day. */
  readonly from: number;
  readonly to: number;
}

const BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/**
 * Compares every continuous aggregate with its own definition run over what it is built on, cell by cell, in one
 * snapshot. Buckets that wait for their refresh, and longer ones that hold one, are left out: reports do not read them.
 */
export function verifyAggregates(pool: Pool, range: VerifyRange): Promise<Mismatch[]> {
  const compare = async (client: Client) => {
    const found: Mismatch[] = [];
    for (const aggregate of CONTINUOUS_AGGREGATES)
      found.push(...(await mismatches(client, aggregate, range)));
    return found;
  };
  return transaction(pool, compare, { begin: BEGIN });
}

async function mismatches(client: Client, aggregate: string, { from, to }: VerifyRange): Promise<Mismatch[]> {
  const definition = await definitionOf(client, aggregate);
  const { rows } = await client.query<{ bucket: Date; rows: number }>(
    `WITH kept AS (SELECT * FROM ${aggregate} WHERE bucket >= $1 AND bucket < $2),
       counted AS (SELECT * FROM (${definition}) d WHERE bucket >= $1 AND bucket < $2)
     SELECT bucket, count(*)::integer AS rows
     FROM ((TABLE kept EXCEPT ALL TABLE counted) UNION ALL (TABLE counted EXCEPT ALL TABLE kept)) different
     WHERE bucket NOT IN (${invalidStartsSql(grainOfAggregate(aggregate).name)})
     GROUP BY bucket ORDER BY bucket`,
    [new Date(from), new Date(to)],
  );
  return rows.map((row) => ({ aggregate, bucket: Number(row.bucket), rows: row.rows }));
}

/**
 * The UTC days (their starts, ms) that have chunks of events or of aggregates, newest first, within two dates.
 * @param from first and @param to last day, as YYYY-MM-DD; undefined: no bound.
 */
export async function verifiableDays(
  pool: Pool,
  from: string | undefined,
  to: string | undefined,
): Promise<number[]> {
  const { rows } = await pool.query<{ ms: number }>(
    `SELECT DISTINCT (extract(epoch FROM day) * 1000)::float8 AS ms
     FROM timescaledb_information.chunks c
     CROSS JOIN LATERAL generate_series(date_trunc('day', c.range_start, 'UTC'),
       c.range_end - INTERVAL '1 microsecond', INTERVAL '1 day') AS day
     WHERE (c.hypertable_name = 'events' OR c.hypertable_name LIKE '\\_materialized\\_%')
       AND day >= coalesce($1::date::timestamp AT TIME ZONE 'UTC', '-infinity')
       AND day <= coalesce($2::date::timestamp AT TIME ZONE 'UTC', 'infinity')
     ORDER BY 1 DESC`,
    [from ?? null, to ?? null],
  );
  return rows.map(({ ms }) => ms);
}
