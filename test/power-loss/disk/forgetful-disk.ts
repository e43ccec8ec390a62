import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, startChild } from "../../../internal/embedded/child.ts";
import { temporaryDirectory } from "../../../internal/embedded/temporary.ts";
import { killChild } from "../part.ts";
import type { DiskOptions } from "./process.ts";

const PROCESS = fileURLToPath(new URL("./process.ts", import.meta.url));

/** Why no forgetful disk can be had here; undefined when it can. */
export function missingForDisk(): string | undefined {
  if (process.platform !== "linux") return "FUSE needs Linux";
  if (process.getuid?.() !== 0) return "mounting needs root";
  try {
    accessSync("/dev/fuse", constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return "there is no /dev/fuse";
  }
}

/** A folder that forgets what was not fsynced when its power is cut. */
export class ForgetfulDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly #durable: string;
  readonly #options: DiskOptions;
  readonly #remove: () => Promise<void>;
  #process: Child | undefined;
  #mounts = 0;

  private constructor(folder: string, options: DiskOptions, remove: () => Promise<void>) {
    this.path = join(folder, "mounted");
    this.#durable = join(folder, "durable");
    this.#options = options;
    this.#remove = remove;
  }

  /** A new, empty one, mounted. @throws where FUSE cannot be had. */
  static async open(options: Partial<DiskOptions> = {}): Promise<ForgetfulDisk> {
    const { path, remove } = await temporaryDirectory("disk");
    // Its user must get there.
    await chmod(path, 0o755);
    const all = { names: "strict", owner: 0, writtenBack: 0, seed: 1, ...options } as const;
    const disk = new ForgetfulDisk(path, all, remove);
    await Promise.all([mkdir(disk.path), mkdir(disk.#durable)]);
    await disk.mount();
    return disk;
  }

  /** The power is back. */
  async mount(): Promise<void> {
    const options = { ...this.#options, seed: this.#options.seed + this.#mounts++ };
    this.#process = await startChild({
      command: process.execPath,
      args: [PROCESS, this.path, this.#durable, JSON.stringify(options)],
      ready: ({ stdout }) => stdout.includes("mounted"),
      timeoutMs: 30_000,
    });
  }

  /** The power is gone. Programs on the disk should be killed before: they would see errors of the device. */
  async cut(): Promise<void> {
    await killChild(this.#process);
    this.#process = undefined;
    spawnSync("umount", ["--lazy", this.path]);
  }

  async close(): Promise<void> {
    await this.cut();
    await this.#remove();
  }
}
