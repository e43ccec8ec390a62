import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { cachePath } from "./internal/embedded/cache.ts";

// Tests start hundreds of programs: with what Node has compiled kept, a start takes half the time.
process.env.NODE_COMPILE_CACHE ??= cachePath("compiled");

const TESTS = "{internal,cmd,test,bench}/**/*.test.ts";

/** Files that start servers, processes or threads: they take seconds, the others mostly milliseconds. */
const SERVERS = "**/*.servers.test.ts";

/** Where whole programs are tested: the files that take longest. */
const PROGRAMS = /^(test|cmd|bench)\//;

/**
 * Programs' files first, then the others that start something, so that no long one runs alone at the end; within that
 * as vitest does it, by how long each took in the last run. A fresh clone knows of no run.
 */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      if (project.name === "units") return 2;
      return PROGRAMS.test(moduleId.slice(import.meta.dirname.length + 1)) ? 0 : 1;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    pool: "forks",
    // One more than the cores of the smallest machine that is meant: a quarter of the time tests wait.
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        // These need nothing but this process; those of each worker share one, which saves the time to start theirs.
        test: {
          name: "units",
          include: [TESTS],
          exclude: [...configDefaults.exclude, SERVERS],
          isolate: false,
        },
      },
      { extends: true, test: { name: "servers", include: [SERVERS] } },
    ],
  },
});
