import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Case, PAIRS, PARTS, partOfPairs, SINGLES, WRITE_PATH } from "./testing/cases.ts";
import { runCase } from "./testing/crash.ts";
import { type Installation, openInstallation } from "./testing/installation.ts";

// Programs kill themselves at every failpoint, and at pairs of them, in the middle of traffic. In the suite: all
// failpoints and a twentieth of the pairs. All pairs: `npm run failpoints`. FOOTFALL_TEST_FAILPOINTS=0 to 19 chooses
// the twentieth.
const wanted = process.env.FOOTFALL_TEST_FAILPOINTS ?? String(Math.floor(Date.now() / 86_400_000) % PARTS);
const pairs = wanted === "all" ? PAIRS : partOfPairs(Number(wanted));

/** A case takes about a second; a busy machine may take its time. */
const TIMEOUT_MS = 180_000;

let installation: Installation;

beforeAll(async () => {
  installation = await openInstallation();
});

afterAll(() => installation?.close());

const titled = (cases: readonly Case[]) => cases.map((points) => [points.join(" and "), points] as const);

describe("whatever dies at a failpoint, each acked event is stored exactly once", () => {
  test.each(titled(SINGLES))("%s", { timeout: TIMEOUT_MS }, (_title, points) =>
    runCase(installation, points),
  );
});

describe(`and at two of them (${wanted === "all" ? "all pairs" : `twentieth ${wanted} of the pairs`})`, () => {
  test.each(titled(pairs))("%s", { timeout: TIMEOUT_MS }, (_title, points) => runCase(installation, points));
});

test("the twentieths together are all pairs", () => {
  expect(
    Array.from({ length: PARTS }, (_, seed) => seed)
      .flatMap(partOfPairs)
      .sort(),
  ).toEqual([...PAIRS].sort());
  expect(SINGLES.length).toBe(WRITE_PATH.length);
});
