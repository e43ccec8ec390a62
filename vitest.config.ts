import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { cachePath } from "./internal/embedded/cache.ts";

// Tests start hundreds of programs: with what Node has compiled kept, a start takes half the time.
process.env.NODE_COMPILE_CACHE ??= cachePath("compiled");

/** Where whole programs are tested: the files that take longest. */
const PROGRAMS = /\/(internal\/(e2e|chaos)|cmd|bench)\//;
/** What files import that start servers: they take seconds, the others mostly milliseconds. */
const SERVERS = /\/testkit\/(database|nats|nats-cluster|s3|installation)\.ts"|\/testing\/rig\.ts"|startNatsCluster/;

/**
 * Programs' files first, then those that start servers, so that no long one runs alone at the end; within that as
 * vitest does it, by how long each took in the last run. A fresh clone knows of no run.
 */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const {
      programs = [],
      servers = [],
      others = [],
    } = Object.groupBy(await super.sort(files), ({ moduleId }) => {
      if (PROGRAMS.test(moduleId)) return "programs";
      return SERVERS.test(readFileSync(moduleId, "utf8")) ? "servers" : "others";
    });
    return [...programs, ...servers, ...others];
  }
}

export default defineConfig({
  test: {
    include: ["{internal,cmd,bench}/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
