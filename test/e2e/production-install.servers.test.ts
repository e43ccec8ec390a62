import { execFile } from "node:child_process";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const PROGRAMS = ["collector", "ingest", "aggregator", "archiver", "query", "replay", "admin", "footfall"];
const DEMO = ["@unni-craftsman", "fauxqs", "cli-progress", "vitest", "typescript"];

/** What those say that need development's libraries. */
const MISSING = {
  demo: /^cli-progress: not installed, .* run `npm ci`$/m,
  standalone: /^@unni-craftsman\/pglite: not installed, .* run `npm ci`, or set DATABASE_URL /m,
};

/** A download of some 100 MB where npm has nothing in its cache, ms. */
const INSTALL_MS = 240_000;

const directory = await temporaryDirectory("production");
afterAll(() => directory.remove());

/** Installs what production needs into an empty folder. @returns why npm cannot. */
async function install(): Promise<string | undefined> {
  for (const name of ["package.json", "package-lock.json", "cmd", "internal"]) {
    const filter = (file: string) => !/\.test\.ts$/.test(file);
    cpSync(join(root, name), join(directory.path, name), { recursive: true, filter });
  }
  const options = ["ci", "--omit=dev", "--prefer-offline", "--no-audit", "--no-fund"];
  try {
    await run("npm", options, { cwd: directory.path, timeout: INSTALL_MS });
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    // Everything else is a fault of the lock file's.
    return /ENOENT|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|SIGTERM/.test(message)
      ? message
      : fail(message);
  }
}

function fail(message: string): never {
  throw new Error(message);
}

test("production is installed without the demo's libraries, and every program starts from it", {
  timeout: INSTALL_MS + 120_000,
}, async (context) => {
  const reason = await install();
  if (reason !== undefined) return context.skip(`npm cannot install here: ${reason}`);
  const modules = join(directory.path, "node_modules");
  const names = readdirSync(modules);
  expect(names).toEqual(expect.arrayContaining(["pg", "zod"]));
  expect(names.filter((name) => DEMO.includes(name))).toEqual([]);
  const node = join(modules, ".bin/node");
  if (!existsSync(node)) return context.skip("there is no Node of package.json's for this platform");
  for (const program of PROGRAMS) {
    const main = join(directory.path, "cmd", program, "main.ts");
    const { stdout } = await run(node, [main, "--help"], { cwd: directory.path });
    expect(stdout).toContain(`Usage: ${program}`);
  }
  for (const [program, missing] of Object.entries(MISSING)) {
    const main = join(directory.path, "cmd", program, "main.ts");
    const ended = await run(node, [main], { cwd: directory.path }).catch((error: unknown) => error);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(missing) });
  }
});
