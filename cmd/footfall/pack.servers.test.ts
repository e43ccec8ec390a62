import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { launch } from "../../test/kit/launch.ts";

const run = promisify(execFile);

test("the packed client runs without a checkout and without dependencies", async () => {
  const folder = await mkdtemp(join(tmpdir(), "footfall-pack-"));
  try {
    const root = join(import.meta.dirname, "../..");
    const { stdout } = await run(process.execPath, ["scripts/pack-client.ts", folder], { cwd: root });
    await run("tar", ["xzf", stdout.trim(), "-C", folder]);
    const main = join(folder, "package/footfall.js");
    const help = await launch(main, { args: ["report", "--help"] }).finished;
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining("footfall report --metrics") });
    const env = { FOOTFALL_READ_KEY: "ffr_x", FOOTFALL_URL: "http://127.0.0.1:1" };
    const away = await launch(main, { args: ["report", "--metrics", "visitors", "--last", "1d"], env })
      .finished;
    expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining("ECONNREFUSED") });
  } finally {
    await rm(folder, { recursive: true });
  }
});
