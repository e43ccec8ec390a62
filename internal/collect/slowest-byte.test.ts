import { expect, test } from "vitest";
import { shownCost, slowestBytes } from "./testing/slowest-byte.ts";

/**
 * Longest that any request may hold up the event loop, ms of CPU time: 20 on a machine of its own. In the suite others
 * share the cores and their caches, which doubles what the same work takes.
 */
const MOST_MS = 40;

/** How much more a byte may cost than one of an ordinary request of the same run. */
const MOST_TIMES = 40;

/** Heap of a request while it is worked on, garbage included: a multiple of its bytes, and what any may take. */
const MULTIPLE = 4;
const GARBAGE_BYTES = 48 << 20;

// A longer search: node scripts/slowest-byte.ts --seconds 600
test("no body that is found in 8 s holds up the event loop, or takes more than a multiple of an ordinary one", async () => {
  const { ordinary, worst } = await slowestBytes({ seed: 17, seconds: 8, most: 2 << 20 });
  for (const { goal, value, cost } of worst) {
    const told = shownCost(goal, value, cost);
    expect(cost.holdMs, told).toBeLessThan(MOST_MS);
    expect(cost.heapBytes, told).toBeLessThan(MULTIPLE * cost.bytes + GARBAGE_BYTES);
    if (goal === "ms a KiB") expect(value, told).toBeLessThan(MOST_TIMES * ordinary);
  }
});
