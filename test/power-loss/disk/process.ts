// The process of a forgetful disk: node process.ts MOUNTPOINT FOLDER OPTIONS. Its death is the loss of power.
import { writeSync } from "node:fs";
import { Random } from "../../../internal/simulate/random.ts";
import { mount, serve } from "../fuse/serve.ts";
import type { NameRule } from "./names.ts";
import { ForgetfulTree } from "./tree.ts";

export interface DiskOptions {
  readonly names: NameRule;
  /** User and group that all files belong to. */
  readonly owner: number;
  /** Share of the writes that are durable without an fsync, 0 to 1. */
  readonly writtenBack: number;
  readonly seed: number;
}

const [mountpoint, folder, json] = process.argv.slice(2) as [string, string, string];
const { names, owner, writtenBack, seed } = JSON.parse(json) as DiskOptions;

const random = new Random(seed);
const tree = new ForgetfulTree({
  folder,
  names,
  owner,
  isWrittenBack: () => writtenBack > 0 && random.chance(writtenBack),
});
const device = mount(mountpoint);
writeSync(1, "mounted\n");
serve(device, tree);
