import fc from "fast-check";
import { expect, test } from "vitest";
import { uuidV7 } from "./ids.ts";
import { Random, Weighted } from "./random.ts";
import { Zipf, zipfWeight } from "./zipf.ts";

test("the same seeds give the same numbers, and other seeds or another order give others", () => {
  const draw = (...seeds: number[]) => {
    const random = new Random(...seeds);
    return Array.from({ length: 8 }, () => random.uint32()).join();
  };
  expect(draw(1, 2)).toBe(draw(1, 2));
  expect(new Set([draw(1, 2), draw(2, 1), draw(1), draw(1, 3), draw(1 + 2 ** 32, 2)]).size).toBe(5);
});

test("numbers are spread evenly", () => {
  const random = new Random(42);
  const counts = new Array<number>(16).fill(0);
  for (let n = 0; n < 160_000; n++) counts[random.below(16)]!++;
  // Chi-squared with 15 degrees of freedom: above 37.7 once in a thousand.
  expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(37.7);
});

test("weights hold", () => {
  const random = new Random(7);
  const weighted = new Weighted([
    ["a", 3],
    ["b", 1],
  ]);
  const picked = Array.from({ length: 40_000 }, () => weighted.pick(random));
  expect(picked.filter((value) => value === "a").length / 40_000).toBeCloseTo(0.75, 1);
});

test.each([
  [1, 1],
  [10, 1],
  [100, 0.8],
  [1_000_000, 1],
  [1_000_000, 1.2],
])("Zipf draws %i ranks of exponent %f by their weights", (size, exponent) => {
  const random = new Random(3);
  const zipf = new Zipf(size, exponent);
  const draws = 200_000;
  const counts = new Map<number, number>();
  for (let n = 0; n < draws; n++) {
    const rank = zipf.sample(random);
    if (rank < 0 || rank >= size) throw new Error(`rank ${rank} of ${size}`);
    counts.set(rank, (counts.get(rank) ?? 0) + 1);
  }
  let sum = 0;
  for (let rank = 0; rank < size; rank++) sum += zipfWeight(rank, exponent);
  for (let rank = 0; rank < Math.min(size, 5); rank++) {
    const wanted = (draws * zipfWeight(rank, exponent)) / sum;
    expect(Math.abs((counts.get(rank) ?? 0) - wanted)).toBeLessThan(5 * Math.sqrt(wanted) + 1);
  }
});

test("ids are UUIDv7 of their time", () => {
  const random = new Random(5);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (timeMs) => {
      const id = uuidV7(timeMs, random);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(timeMs);
    }),
  );
});
