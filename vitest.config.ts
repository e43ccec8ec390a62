import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{internal,cmd,bench}/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
