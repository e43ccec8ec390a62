import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";
import { KNOWN_VARIABLES, PROGRAMS } from "./programs/all.ts";
import { readConfig } from "./read-config.ts";

const env = parseEnv(readFileSync(join(import.meta.dirname, "../../deploy/footfall.env"), "utf8"));

test.each(["collector", "ingest", "aggregator", "query", "admin"])(
  "deploy/footfall.env starts the %s",
  (name) => {
    const program = PROGRAMS.find((one) => one.name === name)!;
    expect(readConfig(program, [], env, KNOWN_VARIABLES)).toMatchObject({
      [name === "collector" ? "ingestAddress" : "databaseUrl"]: expect.stringContaining("internal"),
    });
  },
);

test("the collector's spool is in the folder that systemd makes for it", () => {
  const unit = readFileSync(join(import.meta.dirname, "../../deploy/systemd/footfall@.service"), "utf8");
  const state = /^StateDirectory=(.+)$/m.exec(unit)![1]!;
  expect(env.FOOTFALL_COLLECTOR_SPOOL_DIR).toMatch(new RegExp(`^/var/lib/${state}/.`));
});
