import fc from "fast-check";
import { expect, test } from "vitest";
import type { Member, Roster } from "../../store/leases.ts";
import { partitionLease, plan, refresherLease } from "./plan.ts";

const PARTITIONS = 12;
const REFRESHER = refresherLease(0);
const RESOURCES = [REFRESHER, ...Array.from({ length: PARTITIONS }, (_, p) => partitionLease(p))];

/** The tables of aggregators and leases, and the processes that look at them, each when it comes to it. */
class World {
  readonly alive = new Map<string, Member>();
  /** Owners that died hold their leases until they run out. */
  readonly owners = new Map<string, string>();
  /** What processes are about to give back. */
  readonly handingOver: { id: string; resource: string }[] = [];
  moves = 0;

  join(member: Member): void {
    this.alive.set(member.id, member);
  }

  die(id: string): void {
    this.alive.delete(id);
  }

  /** Leases of those that died run out. */
  expire(): void {
    for (const [resource, owner] of this.owners) if (!this.alive.has(owner)) this.owners.delete(resource);
  }

  /** What a process sees when it looks. */
  look(id: string): Roster {
    return {
      others: [...this.alive.values()].filter((member) => member.id !== id),
      renewed: RESOURCES.filter((resource) => this.owners.get(resource) === id),
      leases: RESOURCES.map((resource) => {
        const owner = this.owners.get(resource);
        return { resource, owner, free: owner === undefined };
      }),
    };
  }

  /** A process acts on what it saw: claims get what is free by now, giving back takes until the commit is over. */
  act(id: string, roster: Roster): void {
    const member = this.alive.get(id);
    if (member === undefined) return;
    const me = { id, candidates: member.candidates && new Set(member.candidates) };
    const { release, claim } = plan(me, roster, PARTITIONS);
    for (const resource of release) this.handingOver.push({ id, resource });
    for (const resource of claim) {
      if (this.owners.has(resource)) continue;
      this.owners.set(resource, id);
      this.moves++;
    }
  }

  handOver(): void {
    for (const { id, resource } of this.handingOver.splice(0)) {
      if (this.owners.get(resource) === id) this.owners.delete(resource);
    }
  }
}

const member = fc.record({
  id: fc.constantFrom("a", "b", "c", "d", "e"),
  candidates: fc.option(fc.uniqueArray(fc.nat(PARTITIONS - 1), { minLength: 1 }), { nil: undefined }),
});

const happening = fc.oneof(
  { weight: 2, arbitrary: member.map((one) => (world: World) => world.join(one)) },
  {
    weight: 1,
    arbitrary: member.map(
      ({ id }) =>
        (world: World) =>
          world.die(id),
    ),
  },
  { weight: 1, arbitrary: fc.constant((world: World) => world.expire()) },
  { weight: 2, arbitrary: fc.constant((world: World) => world.handOver()) },
  {
    weight: 6,
    arbitrary: member.map(
      ({ id }) =>
        (world: World) =>
          world.act(id, world.look(id)),
    ),
  },
);

/** All processes look, in some order, some at what another has changed by then, some at what was before. */
function round(world: World, order: readonly { id: string; stale: boolean }[]): void {
  const before = new Map([...world.alive.keys()].map((id) => [id, world.look(id)]));
  for (const { id, stale } of order) {
    if (world.alive.has(id)) world.act(id, stale ? before.get(id)! : world.look(id));
  }
  world.handOver();
}

const ORDERS = fc.array(
  fc
    .tuple(
      fc.shuffledSubarray(["a", "b", "c", "d", "e"], { minLength: 5 }),
      fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    )
    .map(([order, stale]) => order.map((id, at) => ({ id, stale: stale[at]! }))),
  { minLength: 40, maxLength: 40 },
);

const SETTLED = 3;

test("whatever joined, left and died before: leases settle evenly, and then nothing moves any more", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), ORDERS, (happenings, orders) => {
      const world = new World();
      for (const happen of happenings) happen(world);
      fc.pre(world.alive.size > 0);
      world.expire();
      for (const order of orders.slice(SETTLED)) round(world, order);
      const settled = new Map(world.owners);
      const { moves } = world;
      for (const order of orders.slice(0, SETTLED)) round(world, order);
      expect(world.owners).toEqual(settled);
      expect(world.moves).toBe(moves);
      expectEven(world);
    }),
    { numRuns: 300 },
  );
});

/** Nobody could give a partition to another one who may have it and has two less. */
function expectEven({ alive, owners }: World): void {
  expect(alive.has(owners.get(REFRESHER)!)).toBe(true);
  const load = (id: string) =>
    [...owners].filter(([resource, owner]) => resource !== REFRESHER && owner === id).length;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const willing = [...alive.values()].filter(({ candidates }) => candidates?.includes(partition) ?? true);
    const owner = owners.get(partitionLease(partition));
    if (willing.length === 0) continue;
    expect(willing.map(({ id }) => id)).toContain(owner);
    for (const { id } of willing) expect(load(owner!)).toBeLessThanOrEqual(load(id) + 1);
  }
}

test("a lease that ran out is its owner's as long as nobody has taken it", () => {
  const roster: Roster = {
    others: [],
    renewed: [partitionLease(0)],
    leases: [
      { resource: partitionLease(0), owner: "a", free: true },
      { resource: partitionLease(1), owner: "gone", free: false },
      { resource: REFRESHER, owner: "gone", free: true },
    ],
  };
  expect(plan({ id: "a", candidates: undefined }, roster, 2)).toEqual({ release: [], claim: [REFRESHER] });
});
