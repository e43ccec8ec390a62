import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";
import { KNOWN_VARIABLES, PROGRAMS } from "./programs/all.ts";
import { environmentFor } from "./programs/own-secrets.ts";
import { readConfig } from "./read-config.ts";

const read = (file: string) =>
  parseEnv(readFileSync(join(import.meta.dirname, "../../deploy", file), "utf8"));
const shared = read("footfall.env");
const env = { ...shared, ...read("secrets/ingest.env") };

test.each(["collector", "ingest", "aggregator", "archiver", "query", "admin", "replay"])(
  "deploy/footfall.env and its own secrets start the %s, and no secret of another is among them",
  (name) => {
    const own = read(`secrets/${name}.env`);
    // What admin takes besides is told to its commands.
    if (name !== "admin") expect(environmentFor(name, own, {})).toEqual(own);
    expect(environmentFor(undefined, shared, {})).toEqual(shared);
    const env = { ...shared, ...own };
    const program = PROGRAMS.find((one) => one.name === name)!;
    const config = readConfig(program, [], env, KNOWN_VARIABLES) as Record<string, () => string>;
    expect(name === "collector" ? config.ingestAddress : config.databaseUrl!()).toContain("internal");
  },
);

test("deploy/footfall.env promises what can be kept: strict, three replicas, streams that fit deploy/nats", () => {
  const ingest = PROGRAMS.find(({ name }) => name === "ingest")!;
  const config = readConfig(ingest, [], env, KNOWN_VARIABLES) as Record<string, unknown>;
  expect(config).toMatchObject({ durability: "strict", replicas: 3 });
  expect(config.natsMonitorUrls).toHaveLength(3);
  const server = readFileSync(join(import.meta.dirname, "../../deploy/nats/nats-server.conf"), "utf8");
  const setting = (name: string) => Number(new RegExp(`^ *${name}: (\\d+)`, "m").exec(server)![1]);
  expect(server).toMatch(/^ *sync_interval: always$/m);
  // The installation of deploy/README.md has 64 partitions; DEAD_LETTER is one stream more.
  expect(65 * Number(config.streamMaxBytes)).toBeLessThan(setting("max_file_store") * 1e9);
  expect(Number(config.maxBatchBytes) + 8_192).toBeLessThanOrEqual(setting("max_payload"));
});

test("the collector's spool is in the folder that systemd makes for it", () => {
  const unit = readFileSync(join(import.meta.dirname, "../../deploy/systemd/footfall@.service"), "utf8");
  const state = /^StateDirectory=(.+)$/m.exec(unit)![1]!;
  expect(env.FOOTFALL_COLLECTOR_SPOOL_DIR).toMatch(new RegExp(`^/var/lib/${state}/.`));
});
