/** An aggregator among which partitions are shared out. */
export interface Sharer {
  readonly id: string;
  /** Partitions that it may work; undefined for all. */
  readonly candidates: ReadonlySet<number> | undefined;
}

/** Who works each partition, by its number; undefined for nobody. */
export type Assignment = readonly (string | undefined)[];

/** A sharer with the partitions that it is to work. Those that are nobody's now stand last. */
interface Share extends Sharer {
  readonly partitions: number[];
}

/**
 * Shares partitions out as evenly as the candidates allow, and moves as few as possible: who has a partition keeps
 * it, unless another who may have it has two less. Everybody who sees the same members and owners gets the same
 * answer, and an assignment once balanced stays as it is.
 *
 * Balanced means that no chain of moves (A gives to B, B to C) lets the one with most and the one with least come
 * closer; then no other assignment has a smaller largest share.
 * Harvey et al., Semi-matchings for bipartite graphs and load balancing, J. Algorithms 59 (2006).
 */
export function assign(members: readonly Sharer[], owners: Assignment): Assignment {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const shares: Share[] = sorted.map((member) => ({ ...member, partitions: [] }));
  const byId = new Map(shares.map((share) => [share.id, share]));
  const loose: number[] = [];
  for (const [partition, owner] of owners.entries()) {
    const share = owner === undefined ? undefined : byId.get(owner);
    if (share !== undefined && mayWork(share, partition)) share.partitions.push(partition);
    else loose.push(partition);
  }
  for (const partition of loose) {
    const willing = shares.filter((share) => mayWork(share, partition));
    least(willing)?.partitions.push(partition);
  }
  while (improve(shares));
  const assigned: (string | undefined)[] = owners.map(() => undefined);
  for (const { id, partitions } of shares) for (const partition of partitions) assigned[partition] = id;
  return assigned;
}

function mayWork({ candidates }: Sharer, partition: number): boolean {
  return candidates === undefined || candidates.has(partition);
}

/** The share with the fewest partitions, the first of several. */
function least(shares: readonly Share[]): Share | undefined {
  return shares.reduce<Share | undefined>(
    (best, share) => (best === undefined || share.partitions.length < best.partitions.length ? share : best),
    undefined,
  );
}

/** Moves one partition from a large share towards a smaller one, over others if need be; false if none can be. */
function improve(shares: readonly Share[]): boolean {
  const largestFirst = [...shares].sort((a, b) => b.partitions.length - a.partitions.length);
  return largestFirst.some((from) => giveAway(from, shares));
}

/** How a share can be reached: who would give it which partition. */
interface Step {
  readonly giver: Share;
  readonly partition: number;
}

/** Breadth first, so that the chain of moves is the shortest one to the smallest share that can be reached. */
function giveAway(from: Share, shares: readonly Share[]): boolean {
  const reached = new Map<Share, Step | undefined>([[from, undefined]]);
  for (const giver of reached.keys()) {
    for (const taker of shares) {
      if (reached.has(taker)) continue;
      const partition = giver.partitions.findLast((one) => mayWork(taker, one));
      if (partition !== undefined) reached.set(taker, { giver, partition });
    }
  }
  const to = least([...reached.keys()])!;
  if (from.partitions.length - to.partitions.length < 2) return false;
  for (let taker = to, step = reached.get(to); step !== undefined; step = reached.get(taker)) {
    step.giver.partitions.splice(step.giver.partitions.indexOf(step.partition), 1);
    taker.partitions.push(step.partition);
    taker = step.giver;
  }
  return true;
}
