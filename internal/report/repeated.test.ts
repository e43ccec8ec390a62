import fc from "fast-check";
import { expect, test } from "vitest";
import { firstRepeated } from "./repeated.ts";

test("the first that was there before", () => {
  expect(firstRepeated([])).toBeUndefined();
  expect(firstRepeated(["a", "b", "c", "b", "a"])).toBe("b");
});

test("what a search of the list for each element finds", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (list) => {
      expect(firstRepeated(list)).toBe(list.find((element, at) => list.indexOf(element) !== at));
    }),
  );
});

test("a list as long as a request may hold takes no longer than any other, 100,000 in less than a second", () => {
  const list = Array.from({ length: 100_000 }, (_, at) => at);
  const start = performance.now();
  expect(firstRepeated(list)).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(1_000);
});
