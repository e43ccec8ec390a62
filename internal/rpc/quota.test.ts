import fc from "fast-check";
import { expect, test } from "vitest";
import { Quota } from "./quota.ts";

/** Takes pieces of one for each merchant in turn until none finds room. @returns what each has in the end. */
function fill(quota: Quota, merchants: readonly number[]): number[] {
  const has = new Map(merchants.map((merchant) => [merchant, 0]));
  for (let taken = true; taken; ) {
    taken = false;
    for (const merchant of merchants) {
      if (quota.refusal(merchant) !== undefined) continue;
      quota.take(merchant, 1);
      has.set(merchant, has.get(merchant)! + 1);
      taken = true;
    }
  }
  return [...has.values()];
}

test("a merchant that is alone comes to its share, and no further", () => {
  const quota = new Quota(1_000, 0.25);
  expect(fill(quota, [1])).toEqual([250]);
  expect(quota.refusal(1)).toBe("merchant");
  expect(quota.refusal(2)).toBeUndefined();
});

test("however many hot merchants there are, each has as much, and some room is left for a quiet one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 10, max: 50 }), (hot, percent) => {
      const quota = new Quota(100_000, percent / 100);
      const parts = fill(
        quota,
        Array.from({ length: hot }, (_, at) => at + 1),
      );
      expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
      expect(quota.refusal(99)).toBeUndefined();
    }),
  );
});

test("with a share of all a merchant may take all, and then nobody more", () => {
  const quota = new Quota(10, 1);
  expect(fill(quota, [1])).toEqual([10]);
  expect([quota.refusal(1), quota.refusal(2)]).toEqual(["all", "all"]);
  quota.give(1, 1);
  expect(quota.refusal(2)).toBeUndefined();
});

test("what is given back is free again, to the last byte", () => {
  const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(1_000)), { maxLength: 50 });
  fc.assert(
    fc.property(sizes, (taken) => {
      const quota = new Quota(1_000_000, 0.25);
      for (const [merchant, size] of taken) quota.take(merchant, size);
      expect(quota.used).toBe(taken.reduce((sum, [, size]) => sum + size, 0));
      for (const [merchant, size] of taken) quota.give(merchant, size);
      expect(quota.used).toBe(0);
    }),
  );
});
