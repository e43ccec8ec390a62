import fc from "fast-check";
import { expect, test } from "vitest";
import { memo } from "./memo.ts";

test("what was asked for lately is not found out again, and what it says is what the function says", () => {
  const calls: number[] = [];
  const square = memo((n: number) => {
    calls.push(n);
    return n === 0 ? undefined : n * n;
  }, 3);
  const key = fc.nat(9);
  fc.assert(
    fc.property(fc.array(key, { maxLength: 50 }), (keys) => {
      for (const n of keys) {
        expect(square(n)).toBe(n === 0 ? undefined : n * n);
        const before = calls.length;
        // Asked again at once, and after two others: the answer is remembered, undefined included.
        square(n);
        square((n + 1) % 10);
        const known = calls.length;
        square(n);
        expect(calls.length).toBe(known);
        expect(known - before).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test("it holds twice its capacity at most: what was not asked for since is forgotten", () => {
  let calls = 0;
  const find = memo((n: number) => {
    calls++;
    return n;
  }, 2);
  for (const n of [1, 2, 3, 4, 5]) find(n);
  find(1);
  expect(calls).toBe(6);
});
