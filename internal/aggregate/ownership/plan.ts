import type { Roster } from "../../store/leases.ts";
import { assign, type Sharer } from "./assign.ts";

/** The lease of the refresher of a TimescaleDB server, which also maintains it. Servers are numbered from 0 on. */
export const refresherLease = (server: number): string => `refresher/${server}`;

/** The lease of a partition. */
export const partitionLease = (partition: number): string => `partition/${partition}`;

/** The partition of a lease; undefined for another resource. */
export function partitionOfLease(resource: string): number | undefined {
  return resource.startsWith("partition/") ? Number(resource.slice("partition/".length)) : undefined;
}

/** Which leases an aggregator should give back, and which it should claim. */
export interface Plan {
  readonly release: readonly string[];
  readonly claim: readonly string[];
}

/**
 * What one aggregator does about its leases. Each decides for itself from the same tables: it gives back what is
 * another's by the fair shares of all (assign.ts), and claims what is its own and free. Claims that come too early
 * or too late are decided by the database, and the next look sees how.
 * @param me the one who decides, with the leases that it owns in `roster.renewed`.
 */
export function plan(me: Sharer, roster: Roster, partitions: number): Plan {
  const mine = new Set(roster.renewed);
  const owners: (string | undefined)[] = Array.from({ length: partitions }, () => undefined);
  const free = new Set<string>();
  for (const { resource, owner, free: isFree } of roster.leases) {
    const partition = partitionOfLease(resource);
    if (isFree && !mine.has(resource)) free.add(resource);
    // The leases were read as they stood before they were renewed: what is mine is said by `mine` alone.
    else if (partition !== undefined && partition < partitions && owner !== me.id) owners[partition] = owner;
  }
  for (const resource of mine) {
    const partition = partitionOfLease(resource);
    if (partition !== undefined) owners[partition] = me.id;
  }
  const others = roster.others.map(({ id, candidates }) => ({
    id,
    candidates: candidates && new Set(candidates),
  }));
  const due = assign([me, ...others], owners);
  const isDue = (resource: string) => {
    const partition = partitionOfLease(resource);
    return partition === undefined ? true : due[partition] === me.id;
  };
  return {
    release: [...mine].filter((resource) => !isDue(resource)),
    claim: [...free].filter(isDue),
  };
}
