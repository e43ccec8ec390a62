import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { restAfter } from "./refresh-rest.ts";

describe("between two refreshes", () => {
  test.each([
    ["a quick one takes a fifth of a core", 500, 2_000],
    ["one that would be late then rests less", 1_000, 2_500],
    ["no more than half of a core", 1_500, 1_500],
    ["one that is late anyhow takes a fifth again", 1_600, 6_400],
  ])("%s", (_, tookMs, rest) => expect(restAfter(tookMs, 0)).toBe(rest));

  test("an event waits for 5 s at most where half of a core is enough for that", () => {
    fc.assert(
      fc.property(fc.nat(1_500), (tookMs) => {
        const rest = restAfter(tookMs, 0);
        expect(tookMs + rest + tookMs).toBeLessThanOrEqual(5_000);
        expect(rest).toBeGreaterThanOrEqual(tookMs);
      }),
    );
  });

  test.each([
    [100, 1_900],
    [1_000, 10_000],
    [5_000, 20_000],
  ])("a backlog gets nearly all of the machine: %d ms, then %d", (tookMs, rest) =>
    expect(restAfter(tookMs, 60_000)).toBe(rest),
  );
});
