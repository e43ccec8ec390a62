import { closeSync, fsyncSync, openSync } from "node:fs";
import { link, mkdir, readdir, readFile, rename, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { ForgetfulDisk, missingForDisk } from "./disk/forgetful-disk.ts";
import { type PartName, runPowerLoss } from "./run.ts";

const missing = missingForDisk();
const where = missing === undefined ? "" : ` (skipped: ${missing})`;

function fsync(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}

describe.skipIf(missing !== undefined)(`a disk without power${where}`, () => {
  let disk: ForgetfulDisk;
  const at = (name: string) => join(disk.path, name);
  const text = (name: string) => readFile(at(name), "utf8");
  afterEach(() => disk.close());

  async function cut(): Promise<void> {
    await disk.cut();
    await disk.mount();
  }

  test("forgets what was written and not fsynced, and keeps the rest", async () => {
    disk = await ForgetfulDisk.open({ names: "journal" });
    await writeFile(at("kept"), "first");
    fsync(at("kept"));
    await writeFile(at("kept"), "second, which is longer");
    await writeFile(at("forgotten"), "anything");
    expect((await readdir(disk.path)).sort()).toEqual(["forgotten", "kept"]);
    expect(await text("kept")).toBe("second, which is longer");
    await cut();
    expect(await readdir(disk.path)).toEqual(["kept"]);
    expect(await text("kept")).toBe("first");
  });

  test("strict: a name is there after the fsync of its folder, whatever became of the file", async () => {
    disk = await ForgetfulDisk.open({ names: "strict" });
    await mkdir(at("folder"));
    for (const name of ["folder/old", "unnamed"]) {
      await writeFile(at(name), name);
      fsync(at(name));
    }
    fsync(at("folder"));
    await cut();
    expect(await readdir(disk.path)).toEqual([]);
    await mkdir(at("folder"));
    await writeFile(at("folder/old"), "old");
    for (const name of ["folder/old", "folder", "."]) fsync(at(name));
    await rename(at("folder/old"), at("folder/new"));
    await cut();
    expect(await readdir(at("folder"))).toEqual(["old"]);
    await rename(at("folder/old"), at("folder/new"));
    fsync(at("folder"));
    await cut();
    expect(await readdir(at("folder"))).toEqual(["new"]);
    expect(await text("folder/new")).toBe("old");
  });

  test("links, removed files and renames over others are what they were", async () => {
    disk = await ForgetfulDisk.open({ names: "journal" });
    for (const name of ["a", "b"]) await writeFile(at(name), name);
    for (const name of ["a", "b"]) fsync(at(name));
    await link(at("a"), at("same"));
    await symlink("a", at("points"));
    await rename(at("a"), at("b"));
    fsync(at("same"));
    await unlink(at("b"));
    expect((await readdir(disk.path)).sort()).toEqual(["points", "same"]);
    await cut();
    expect((await readdir(disk.path)).sort()).toEqual(["b", "points", "same"]);
    expect([await text("b"), await text("same")]).toEqual(["a", "a"]);
  });
});

/** Each starts its programs twice, which takes long on a busy machine, ms. */
const TIMEOUT_MS = 240_000;

describe.skipIf(missing !== undefined)(`a cut under load${where}`, { timeout: TIMEOUT_MS }, () => {
  async function cutOnce(part: PartName) {
    const [round] = await runPowerLoss({ part, rounds: 1, seed: 1 });
    expect(round!.acked).toBeGreaterThan(0);
    return round!;
  }

  test.each(["spool", "nats"] as const)("%s: what was acked is there, once", async (part) => {
    expect(await cutOnce(part)).toMatchObject({ lost: 0, doubled: 0 });
  });

  test("nats-server as it comes loses what it acked: the disk does forget", async () => {
    expect((await cutOnce("nats-default")).lost).toBeGreaterThan(0);
  });
});
