import { expect, test } from "vitest";
import { Backoff } from "./backoff.ts";

test("pauses double up to the longest, each between half and the whole, and begin anew after a success", () => {
  const backoff = new Backoff({ firstMs: 100, longestMs: 500 });
  for (const due of [100, 200, 400, 500, 500]) {
    const pause = backoff.next();
    expect(pause).toBeGreaterThanOrEqual(due / 2);
    expect(pause).toBeLessThanOrEqual(due);
  }
  backoff.reset();
  expect(backoff.next()).toBeLessThanOrEqual(100);
});
