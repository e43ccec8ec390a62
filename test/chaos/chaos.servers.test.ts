import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const MAIN = join(import.meta.dirname, "main.ts");

test("chaos ends with its result as JSON, and tells each round's plan", { timeout: 240_000 }, async () => {
  const args = [MAIN, "--only-round", "3", "--seed", "11", "--rate", "200", "--json"];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 230_000 });
  const result = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  expect(result).toMatchObject({ rounds: 1, lost: 0, duplicated: 0, report_mismatches: 0 });
  expect(result.acked).toBeGreaterThan(0);
  expect(result.stored).toBe(result.acked);
  expect(stderr).toMatch(/^round 3 {2}\w+/m);
});
