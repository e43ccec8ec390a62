import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { sharedData } from "../kit/shared-data.ts";

const MAIN = join(import.meta.dirname, "../../cmd/demo/main.ts");

/** Runs the demo to its end. @returns all that it printed, and the JSON of its last line. */
async function runDemo(...flags: string[]) {
  const args = [MAIN, "--exit", "--json", ...flags];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 270_000 });
  const last = stdout.trimEnd().split("\n").at(-1)!;
  return { stdout, result: JSON.parse(last) as Record<string, number> };
}

describe("the demo", () => {
  test("as the README has it: sends 20,000 events, and its accounting is equal", {
    timeout: 300_000,
  }, async () => {
    const { stdout, result } = await runDemo();
    const { freshness_p99_ms, ...counts } = result;
    expect(counts).toEqual({
      sent: 20_000,
      accepted: 20_000,
      duplicates: 0,
      rejected: 0,
      stored: 20_000,
      reported: 20_000,
    });
    expect(freshness_p99_ms).toBeGreaterThan(0);
    expect(stdout).toContain("The last quarter of an hour beside the one before:");
    expect(stdout).toContain("Only device_type==mobile;session(event_name==add_to_cart):");
    // The first shop's orders, and what they brought, are those of the goal that its purchases reach.
    const cells = (row: RegExp) =>
      row
        .exec(stdout)![0]
        .split("│")
        .map((cell) => cell.trim());
    const [orders, revenue] = cells(/(?<=bots' events │\n.*\n).*/).slice(6, 8);
    const [, , conversions, , , value] = cells(/.* ordered .*/);
    expect([conversions, value]).toEqual([orders, revenue]);
  });

  const log = sharedData("access.log");
  test.skipIf(log === undefined)(
    "shows a real access log day by day (needs shared/data)",
    {
      timeout: 300_000,
    },
    async () => {
      const { stdout, result } = await runDemo("--access-log", log!);
      expect(result).toMatchObject({
        sent: 10_000,
        accepted: 9_999,
        rejected: 1,
        stored: 9_999,
        reported: 9_999,
      });
      // The bots' lines apart: internal/aggregate/steps/access-log.test.ts knows which those are.
      expect(stdout).toMatch(/7,101 .* 2,898 /);
      // People's lines by UTC day; with the bots' they are shared/data/README.md's 1,632, 2,893, 2,896 and 2,579.
      for (const [day, events] of [
        ["2015-05-17", "1,021"],
        ["2015-05-18", "1,856"],
        ["2015-05-19", "2,300"],
        ["2015-05-20", "1,924"],
      ]) {
        expect(stdout).toMatch(new RegExp(`${day} .*${events} `));
      }
    },
  );
});
