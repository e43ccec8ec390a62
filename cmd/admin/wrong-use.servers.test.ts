import { describe, expect, test } from "vitest";
import { runAdmin as run } from "./testing/run.ts";

describe("wrong use", () => {
  const url = "postgres://admin:hunter2@127.0.0.1:1/footfall";
  const database = { DATABASE_URL: url };
  const wrong: [string, string[], NodeJS.ProcessEnv, RegExp][] = [
    [
      "no database",
      ["merchants", "list"],
      {},
      /admin merchants list: DATABASE_URL or DATABASE_URL_FILE is required/,
    ],
    [
      "an address of another kind",
      ["merchants", "list"],
      { DATABASE_URL: "mysql://x:hunter2@y/z" },
      /DATABASE_URL: the value is not an address/,
    ],
    [
      "a secret as an argument",
      ["merchants", "list", `--database-url=${url}`],
      database,
      /admin merchants list: unknown option '--database-url'/,
    ],
    [
      "a key in place of its id",
      ["keys", "revoke", "--merchant", "1", "--key", "ffw_hunter2"],
      database,
      /--key: the value is no id of a key/,
    ],
    [
      "partitions that are no number",
      ["migrate"],
      { ...database, FOOTFALL_PARTITIONS: "many" },
      /admin migrate: FOOTFALL_PARTITIONS: "many" is not a whole number/,
    ],
    ["no merchant", ["rollups", "backfill", "--from", "2026-01-01"], database, /--merchant is required/],
    ["no name", ["merchants", "create"], database, /admin merchants create: --name is required/],
    ["nothing to update", ["merchants", "update", "--merchant", "1"], database, /nothing is to be changed/],
    [
      "a misspelt variable",
      ["merchants", "list"],
      { ...database, FOOTFALL_PARTITION: "8" },
      /FOOTFALL_PARTITION is not a setting/,
    ],
    [
      "an unknown command",
      ["mrchants", "list"],
      database,
      /unknown command 'mrchants' \(Did you mean merchants\?\); there are migrate, merchants, keys,/,
    ],
    ["no command", [], database, /admin: a command is missing; there are migrate/],
    [
      "an own domain that is none",
      ["merchants", "update", "--merchant", "1", "--own-domain", "a.example", "--own-domain", "b.example:80"],
      database,
      /--own-domain: .* holds "b.example:80", which is no host name such as shop.example/,
    ],
  ];

  test.concurrent.each(wrong)("%s: exit code 2, and the message names it", async (_, args, env, message) => {
    const { code, stdout, stderr } = await run(args, env);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toContain("hunter2");
  });

  test("several wrong settings: each is named", async () => {
    const flags = ["--time-zone", "Mars/Base", "--currency", "EURO", "--retention-days", "0"];
    const { code, stderr } = await run(["merchants", "create", ...flags], database);
    expect(code).toBe(2);
    expect(stderr).toContain("--name is required");
    expect(stderr).toContain('--time-zone: "Mars/Base" is not an IANA time zone');
    expect(stderr).toContain('--currency: "EURO" is not an ISO 4217 code');
    expect(stderr).toContain('--retention-days: "0" is below 1');
  });

  test("a database that is away: exit code 1, without its password", async () => {
    // Nobody listens on port 1, and no other test can come to.
    const { code, stderr } = await run(["merchants", "list"], database);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ECONNREFUSED/);
    expect(stderr).not.toContain("hunter2");
  });
});
