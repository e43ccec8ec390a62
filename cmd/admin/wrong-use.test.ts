import { describe, expect, test } from "vitest";
import { runAdmin as run } from "./testing/run.ts";

describe("wrong use", () => {
  const url = "postgres://admin:hunter2@127.0.0.1:1/footfall";
  const wrong: [string, string[], NodeJS.ProcessEnv, RegExp][] = [
    ["no database", ["list-merchants"], {}, /DATABASE_URL \(--database-url\) is required/],
    [
      "an address of another kind",
      ["list-merchants"],
      { DATABASE_URL: "mysql://x:hunter2@y/z" },
      /DATABASE_URL: the value is not an address/,
    ],
    [
      "partitions that are no number",
      ["migrate"],
      { DATABASE_URL: url, FOOTFALL_PARTITIONS: "many" },
      /FOOTFALL_PARTITIONS: "many" is not a whole number/,
    ],
    [
      "no merchant",
      ["rollups", "--from", "2026-01-01"],
      { DATABASE_URL: url },
      /rollups: --merchant is required/,
    ],
    ["no day", ["rollups", "--merchant", "1"], { DATABASE_URL: url }, /rollups: --from is required/],
    ["no name", ["create-merchant"], { DATABASE_URL: url }, /create-merchant: --name is required/],
    [
      "a misspelt variable",
      ["list-merchants"],
      { DATABASE_URL: url, FOOTFALL_PARTITION: "8" },
      /FOOTFALL_PARTITION is not a setting/,
    ],
    [
      "an unknown command",
      ["drop-merchant"],
      { DATABASE_URL: url },
      /no command "drop-merchant"; there are migrate, create-merchant, list-merchants, load-rates/,
    ],
    ["a command of JavaScript's own", ["constructor"], { DATABASE_URL: url }, /no command "constructor"/],
    ["no command", [], { DATABASE_URL: url }, /no command ""; there are migrate/],
  ];

  test.concurrent.each(wrong)("%s: exit code 2, and the message names it", async (_, args, env, message) => {
    const { code, stdout, stderr } = await run(args, env);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toContain("hunter2");
  });

  test("several wrong settings: each is named", async () => {
    const flags = [
      "--partitions",
      "0",
      "--time-zone",
      "Mars/Base",
      "--currency",
      "EURO",
      "--retention-days",
      "0",
    ];
    const { code, stderr } = await run(["create-merchant", ...flags], { DATABASE_URL: url });
    expect(code).toBe(2);
    expect(stderr).toContain('--partitions: "0" is below 1');
    expect(stderr).toContain('--time-zone: "Mars/Base" is not an IANA time zone');
    expect(stderr).toContain('--currency: "EURO" is not an ISO 4217 code');
    expect(stderr).toContain('--retention-days: "0" is below 1');
  });

  test("an unknown flag is refused, and named", async () => {
    const { code, stderr } = await run(["migrate", "--partition", "8"], { DATABASE_URL: url });
    expect(code).not.toBe(0);
    expect(stderr).toContain("--partition");
  });

  test("a database that is away: exit code 1, without its password", async () => {
    // Nobody listens on port 1, and no other test can come to.
    const { code, stderr } = await run(["list-merchants"], {
      DATABASE_URL: "postgres://a:hunter2@127.0.0.1:1/b",
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/ECONNREFUSED/);
    expect(stderr).not.toContain("hunter2");
  });

  test("--help shows every setting", async () => {
    const { code, stdout } = await run(["--help"], {});
    expect(code).toBe(0);
    for (const flag of [
      "--database-url",
      "--partitions",
      "--name",
      "--time-zone",
      "--currency",
      "--retention-days",
    ]) {
      expect(stdout).toContain(flag);
    }
  });
});
