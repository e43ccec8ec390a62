import type { Pool } from "./pool.ts";

/** Something that one owner works at a time, as its row stands at a moment. */
export interface Lease {
  readonly resource: string;
  /** Undefined when it was given back. */
  readonly owner: string | undefined;
  /** Given back, or not renewed in time: it can be claimed. */
  readonly free: boolean;
}

/** An aggregator that is alive. */
export interface Member {
  readonly id: string;
  /** Partitions that it may work; undefined for all. */
  readonly candidates: readonly number[] | undefined;
}

/** What an aggregator tells of itself. */
export interface Presence extends Member {
  /** False while it leaves: it keeps its leases until it gives them back, and gets no share any more. */
  readonly staying: boolean;
  /** How long a lease lasts without being renewed, ms. */
  readonly leaseMs: number;
}

/** All members and leases, as of one moment. */
export interface Roster {
  /** Those alive, without the one who asks. */
  readonly others: readonly Member[];
  readonly leases: readonly Lease[];
  /** Resources whose lease was renewed: what the one who asks owns. */
  readonly renewed: readonly string[];
}

/** A lease just claimed. */
export interface Claimed {
  readonly resource: string;
  /** Whose lease ran out; undefined when it had been given back. */
  readonly formerOwner: string | undefined;
}

/** How long the row of an aggregator that died is kept for operators to see. */
const KEPT = "1 day";

/** Makes the rows of resources where they are missing, and forgets aggregators that died long ago. */
export async function openLeases(pool: Pool, resources: readonly string[]): Promise<void> {
  await pool.query(
    "INSERT INTO leases (resource) SELECT unnest($1::text[]) ORDER BY 1 ON CONFLICT DO NOTHING",
    [resources],
  );
  await pool.query(`DELETE FROM aggregators WHERE alive_until < now() - interval '${KEPT}'`);
}

/** One statement for all leases of an owner, so that they are renewed together or not at all. */
const RENEW = `WITH me AS (
    INSERT INTO aggregators (instance_id, candidates, alive_until)
    VALUES ($1, $2, now() + $3 * interval '1 ms')
    ON CONFLICT (instance_id) DO UPDATE SET seen_at = now(), alive_until = excluded.alive_until
  ), renewed AS (
    UPDATE leases SET until = now() + $4 * interval '1 ms' WHERE owner_id = $1 RETURNING resource
  )
  SELECT
    (SELECT coalesce(json_agg(resource), '[]') FROM renewed) AS renewed,
    (SELECT coalesce(json_agg(json_build_object('id', instance_id, 'candidates', candidates)), '[]')
       FROM aggregators WHERE alive_until > now() AND instance_id <> $1) AS others,
    (SELECT coalesce(json_agg(json_build_object('resource', resource, 'owner', owner_id,
         'free', until IS NULL OR until < now())), '[]') FROM leases) AS leases`;

/** Says that an aggregator is there, and renews the leases that nobody took from it, also one that ran out. */
export async function renewLeases(
  pool: Pool,
  { id, candidates, staying, leaseMs }: Presence,
): Promise<Roster> {
  const { rows } = await pool.query<{
    renewed: string[];
    others: { id: string; candidates: number[] | null }[];
    leases: { resource: string; owner: string | null; free: boolean }[];
  }>(RENEW, [id, candidates ?? null, staying ? leaseMs : 0, leaseMs]);
  const { renewed, others, leases } = rows[0]!;
  return {
    renewed,
    others: others.map((other) => ({ ...other, candidates: other.candidates ?? undefined })),
    leases: leases.map((lease) => ({ ...lease, owner: lease.owner ?? undefined })),
  };
}

/** Claims those of some leases that are free now. Of two who claim at once, one gets each. */
export async function claimLeases(
  pool: Pool,
  id: string,
  resources: readonly string[],
  leaseMs: number,
): Promise<Claimed[]> {
  if (resources.length === 0) return [];
  const { rows } = await pool.query<{ resource: string; owner_id: string | null }>(
    `WITH free AS (
       SELECT resource, owner_id FROM leases
       WHERE resource = ANY($2::text[]) AND (until IS NULL OR until < now())
       FOR UPDATE SKIP LOCKED
     )
     UPDATE leases l SET owner_id = $1, acquired_at = now(), until = now() + $3 * interval '1 ms'
     FROM free WHERE l.resource = free.resource
     RETURNING l.resource, free.owner_id`,
    [id, resources, leaseMs],
  );
  return rows.map(({ resource, owner_id }) => ({ resource, formerOwner: owner_id ?? undefined }));
}

/** Gives leases back, those of them that are still the owner's: others can claim them at once. */
export async function releaseLeases(pool: Pool, id: string, resources: readonly string[]): Promise<void> {
  await pool.query(
    "UPDATE leases SET owner_id = NULL, until = NULL WHERE owner_id = $1 AND resource = ANY($2::text[])",
    [id, resources],
  );
}

/** Removes an aggregator, and gives back what it still holds. */
export async function leave(pool: Pool, id: string): Promise<void> {
  await pool.query(
    `WITH released AS (UPDATE leases SET owner_id = NULL, until = NULL WHERE owner_id = $1)
     DELETE FROM aggregators WHERE instance_id = $1`,
    [id],
  );
}

/** The name of an aggregator's connections in pg_stat_activity, which begins alike for all of them. */
export function connectionName(id: string, use = ""): string {
  return `aggregator ${id} ${use}`.trim();
}

/**
 * Ends the database connections of aggregators whose leases ran out. One that stands still may hold the rows of
 * its partitions in an open transaction, in the middle of a COPY even, where no timeout of the server reaches it.
 * @returns how many were ended.
 */
export async function endConnections(pool: Pool, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const { rowCount } = await pool.query(
    `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
       AND EXISTS (SELECT FROM unnest($1::text[]) AS n (name) WHERE starts_with(a.application_name, n.name))`,
    [ids.map((id) => connectionName(id))],
  );
  return rowCount ?? 0;
}
