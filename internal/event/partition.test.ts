import fc from "fast-check";
import { expect, test } from "vitest";
import { partitionOf } from "./partition.ts";

// Counted with another implementation of MurmurHash3's fmix32 (Python). They can never change: stored data
// lies where they say.
test.each([
  [1, 55, 3],
  [2, 6, 2],
  [3, 39, 3],
  [42, 28, 0],
  [1_000, 24, 0],
  [65_536, 34, 2],
  [1_000_000, 9, 1],
  [2 ** 31 - 1, 40, 0],
])("merchant %i is in partition %i of 64 and %i of 4", (merchant, of64, of4) => {
  expect([partitionOf(merchant, 64), partitionOf(merchant, 4)]).toEqual([of64, of4]);
});

test("every merchant is in a partition that exists, and in the only one of one", () => {
  const merchant = fc.integer({ min: 1, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(merchant, fc.integer({ min: 1, max: 4_096 }), (merchant, partitions) => {
      const partition = partitionOf(merchant, partitions);
      expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
      expect(partitionOf(merchant, 1)).toBe(0);
    }),
  );
});

test("merchants numbered one after the other spread evenly over 64 partitions", () => {
  const counts = new Array<number>(64).fill(0);
  for (let merchant = 1; merchant <= 64_000; merchant++) counts[partitionOf(merchant, 64)]!++;
  // 1,000 are expected in each; 5 standard deviations of a fair draw are 157.
  expect(Math.min(...counts)).toBeGreaterThan(843);
  expect(Math.max(...counts)).toBeLessThan(1_157);
});
