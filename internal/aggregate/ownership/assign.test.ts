import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Assignment, assign, type Sharer } from "./assign.ts";

const all = (id: string): Sharer => ({ id, candidates: undefined });
const nobody = (partitions: number): Assignment => Array.from({ length: partitions }, () => undefined);

function sizes(members: readonly Sharer[], assignment: Assignment): number[] {
  return members.map(({ id }) => assignment.filter((owner) => owner === id).length);
}

/** Members a, b, c, ... of which some may work anything, others a list. */
const membersOf = (partitions: number, most: number) =>
  fc.array(fc.option(fc.uniqueArray(fc.nat(partitions - 1))), { maxLength: most }).map((lists) =>
    lists.map((list, at) => ({
      id: String.fromCharCode(97 + at),
      candidates: list === null ? undefined : new Set(list),
    })),
  );

/** Any owners: members, aggregators that died, nobody. */
const ownersOf = (partitions: number, most: number) =>
  fc.array(fc.option(fc.constantFrom("dead", ...ids(most)), { nil: undefined }), {
    minLength: partitions,
    maxLength: partitions,
  });

const ids = (count: number) => Array.from({ length: count }, (_, at) => String.fromCharCode(97 + at));

const mayWork = ({ candidates }: Sharer, partition: number) => candidates?.has(partition) ?? true;

const world = (partitions: number, most: number) =>
  fc.tuple(membersOf(partitions, most), ownersOf(partitions, most));

/** The smallest sum of squared shares of all assignments there are: tried one by one. */
function bestOf(members: readonly Sharer[], partitions: number): number {
  const loads = members.map(() => 0);
  const tryFrom = (partition: number): number => {
    if (partition === partitions) return loads.reduce((sum, load) => sum + load * load, 0);
    const costs = members.flatMap((member, at) => {
      if (!mayWork(member, partition)) return [];
      loads[at]!++;
      const cost = tryFrom(partition + 1);
      loads[at]!--;
      return [cost];
    });
    return costs.length === 0 ? tryFrom(partition + 1) : Math.min(...costs);
  };
  return tryFrom(0);
}

test("members that may work anything have the same share, within one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), ownersOf(64, 9), (count, owners) => {
      const members = ids(count).map(all);
      const shares = sizes(members, assign(members, owners));
      expect(shares.reduce((a, b) => a + b, 0)).toBe(64);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});

test("with restricted candidates no assignment is more even, and each gets only its candidates", () => {
  fc.assert(
    fc.property(world(6, 4), ([members, owners]) => {
      const assignment = assign(members, owners);
      for (const [partition, owner] of assignment.entries()) {
        const willing = members.filter((member) => mayWork(member, partition)).map(({ id }) => id);
        if (willing.length === 0) expect(owner).toBeUndefined();
        else expect(willing).toContain(owner);
      }
      const cost = sizes(members, assignment).reduce((sum, size) => sum + size * size, 0);
      expect(cost).toBe(bestOf(members, 6));
    }),
    { numRuns: 300 },
  );
});

test("what is balanced stays, and everybody comes to the same answer", () => {
  fc.assert(
    fc.property(world(16, 6), ([members, owners]) => {
      const assignment = assign(members, owners);
      expect(assign(members, assignment)).toEqual(assignment);
      expect(assign([...members].reverse(), owners)).toEqual(assignment);
    }),
  );
});

describe("no more moves than needed", () => {
  test("one who joins gets its share, and nothing moves between the others", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 64 }), (count, partitions) => {
        const members = ids(count).map(all);
        const before = assign(members, nobody(partitions));
        const after = assign([...members, all("new")], before);
        const moved = after.filter((owner, at) => owner !== before[at]);
        expect(moved.every((owner) => owner === "new")).toBe(true);
        expect(moved.length).toBe(Math.floor(partitions / (count + 1)));
      }),
    );
  });

  test("of one who leaves only its own partitions move", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 64 }), (count, partitions) => {
        const members = ids(count).map(all);
        const before = assign(members, nobody(partitions));
        const after = assign(members.slice(1), before);
        for (const [at, owner] of before.entries()) if (owner !== "a") expect(after[at]).toBe(owner);
      }),
    );
  });
});

test("4096 partitions of one, shared out among 64 at once, in a moment", () => {
  const members = Array.from({ length: 64 }, (_, at) => all(`m${at}`));
  const started = performance.now();
  const shares = sizes(
    members,
    assign(
      members,
      Array.from({ length: 4_096 }, () => "m7"),
    ),
  );
  expect(new Set(shares)).toEqual(new Set([64]));
  expect(performance.now() - started).toBeLessThan(10_000);
});
