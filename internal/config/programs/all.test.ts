import { describe, expect, test } from "vitest";
import { readConfig } from "../read-config.ts";
import { flagOf, isSecret, type Setting } from "../setting.ts";
import { KNOWN_VARIABLES, PROGRAMS } from "./all.ts";

const all = PROGRAMS.flatMap(({ name, settings }) =>
  Object.values(settings).map((setting): [string, Setting<unknown>] => [name, setting]),
);

/** What the programs cannot do without. */
const REQUIRED = {
  DATABASE_URL: "postgres://footfall:secret@127.0.0.1:5432/footfall",
  FOOTFALL_INGEST_TOKEN: "token",
  FOOTFALL_INGEST_TOKENS: "token,other",
  FOOTFALL_S3_BUCKET: "events",
  FOOTFALL_READ_KEY: "ffr_key",
};

describe.each(PROGRAMS)("$name", (program) => {
  const settings = Object.values(program.settings);
  const flags = Object.entries(program.settings).map(([key, setting]) => flagOf(key, setting));

  test("starts with its defaults and what is required: every default is a good value", () => {
    const config = readConfig(program, [], { ...REQUIRED }, KNOWN_VARIABLES);
    expect(Object.keys(config).sort()).toEqual(Object.keys(program.settings).sort());
  });

  test("has no two settings of one flag or variable", () => {
    expect(new Set(flags).size).toBe(settings.length);
    expect(new Set(settings.map(({ env }) => env)).size).toBe(settings.length);
  });

  test("takes every setting as a flag too, but for secrets", () => {
    settings.forEach((setting, at) => {
      const { fallback } = setting;
      if (fallback && !isSecret(setting))
        readConfig(program, [`--${flags[at]}`, fallback], { ...REQUIRED }, KNOWN_VARIABLES);
    });
  });
});

test("what holds a secret is marked as one", () => {
  const secrets = all.filter(([, { env }]) =>
    /TOKEN|KEY$|KEY_ID|SECRET|PASSWORD|DATABASE_URL|NATS_URL/.test(env!),
  );
  expect(secrets.length).toBeGreaterThan(3);
  for (const [, { env, secret }] of secrets) expect([env, secret]).toEqual([env, true]);
});

test("variables are FOOTFALL_ ones, apart from the customary addresses", () => {
  const others = new Set(all.map(([, { env }]) => env!).filter((env) => !env.startsWith("FOOTFALL_")));
  expect([...others].sort()).toEqual(["DATABASE_URL", "GEOIP_DB", "NATS_URL"]);
});

test("tokens of ingest are parted by commas, and there is at least one", () => {
  const ingest = PROGRAMS.find(({ name }) => name === "ingest")!;
  const read = (tokens: string) =>
    readConfig(ingest, [], { ...REQUIRED, FOOTFALL_INGEST_TOKENS: tokens }, KNOWN_VARIABLES) as {
      tokens: () => unknown;
    };
  expect(read("one,two,").tokens()).toEqual(["one", "two"]);
  expect(() => read(",")).toThrow("FOOTFALL_INGEST_TOKENS: the value names no token");
});

test.each(["localhost:5432", "mysql://x/y", "", "postgres//x"])("%j is no address of a database", (url) => {
  const query = PROGRAMS.find(({ name }) => name === "query")!;
  expect(() => readConfig(query, [], { DATABASE_URL: url }, KNOWN_VARIABLES)).toThrow(
    "DATABASE_URL: the value is not an address that starts with postgres:// or postgresql://",
  );
});
