import { expect, test } from "vitest";
import { PROGRAMS } from "../../internal/config/programs/all.ts";
import { flagOf, isSecret } from "../../internal/config/setting.ts";
import { launch } from "../kit/launch.ts";

// Admin, replay and footfall have commands, each with its own help.
const FLAT = PROGRAMS.filter(({ name }) => !["admin", "replay", "footfall"].includes(name));

test.each(FLAT)("$name --help prints every setting and exits with 0", async ({ name, settings }) => {
  const { code, stdout } = await launch(name, { args: ["--help"] }).finished;
  expect(code).toBe(0);
  for (const [key, setting] of Object.entries(settings)) {
    const { env, fallback } = setting;
    const flag = new RegExp(`--${flagOf(key, setting)}\\b`);
    if (isSecret(setting)) {
      expect(stdout).not.toMatch(flag);
      expect(stdout).toContain(`  ${env}  `);
      continue;
    }
    expect(stdout).toMatch(flag);
    expect(stdout).toMatch(new RegExp(`\\[${env}[;\\]]`));
    if (fallback) expect(stdout.replaceAll(/\s+/g, " ")).toContain(`default: ${fallback}`);
  }
});

const DATABASE = { DATABASE_URL: "postgres://user:secret@127.0.0.1:1/none" };

const WRONG: [name: string, args: string[], env: Record<string, string>, says: RegExp[]][] = [
  [
    "collector",
    ["--port", "70000"],
    { FOOTFALL_COLECTOR_PORT: "1" },
    [
      /--port: "70000" is above 65535/,
      /FOOTFALL_INGEST_TOKEN or FOOTFALL_INGEST_TOKEN_FILE is required/,
      /FOOTFALL_COLECTOR_PORT is not a setting/,
    ],
  ],
  ["collector", ["--no-such-flag"], {}, [/^collector: unknown option '--no-such-flag'/]],
  ["ingest", [], { ...DATABASE, FOOTFALL_INGEST_TOKENS: "," }, [/INGEST_TOKENS: the value names no token/]],
  ["aggregator", ["--partitions", "3-"], DATABASE, [/--partitions: "3-" is neither/]],
  ["query", [], { DATABASE_URL: "mysql://secret@host/db" }, [/DATABASE_URL: the value is not an address/]],
  ["admin", ["merchants", "create", "--currency", "EUX"], DATABASE, [/--currency: "EUX" is not an ISO 4217/]],
  ["admin", ["merchants", "creat"], DATABASE, [/unknown command 'creat' \(Did you mean create\?\)/]],
  ["simulate", ["--write-keys", "k", "--events", "many"], {}, [/--events: "many" is not a whole number/]],
];

test.each(WRONG)("%s %j %j exits with 2 and names what is wrong", async (name, args, env, says) => {
  const { code, stdout, stderr } = await launch(name, { args, env }).finished;
  for (const text of says) expect(stderr).toMatch(text);
  expect(code).toBe(2);
  expect(stdout + stderr).not.toContain("secret");
});
