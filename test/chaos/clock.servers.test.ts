import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../../internal/embedded/temporary.ts";

/** Says what time it is, in several ways, ten times a second. */
const TELL = `setInterval(() => {
  const at = new Date(0);
  console.log(JSON.stringify([Date.now(), new Date().getTime(), Date.parse(Date()), at.getTime(), at instanceof Date]));
}, 100)`;

test("a running program's clock jumps, and jumps back", async () => {
  const folder = await temporaryDirectory("clock");
  const file = join(folder.path, "clock");
  const preload = join(import.meta.dirname, "clock.ts");
  const child = spawn(process.execPath, ["--import", preload, "-e", TELL], {
    env: { ...process.env, CHAOS_CLOCK_FILE: file },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await folder.remove();
  });
  let told: number[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    told = JSON.parse(text.trim().split("\n").at(-1)!);
  });
  const off = () => told.slice(0, 3).map((time) => Math.round((time - Date.now()) / 60_000) + 0);
  const isOff = (minutes: number) =>
    expect.poll(off, { timeout: 10_000 }).toEqual([minutes, minutes, minutes]);
  await isOff(0);
  await writeFile(file, String(10 * 60_000));
  child.kill("SIGUSR2");
  await isOff(10);
  expect(told.slice(3)).toEqual([0, true]);
  await writeFile(file, "0");
  child.kill("SIGUSR2");
  await isOff(0);
});
