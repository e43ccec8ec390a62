import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { cachePath } from "../cache.ts";

const run = promisify(execFile);

const HOW_TO_INSTALL =
  "nats-server was not found. Install it (Debian/Ubuntu: apt-get install nats-server; others: " +
  "https://github.com/nats-io/nats-server/releases) or set NATS_SERVER_BIN to its path.";

/** Debian's package, unpacked. */
const UNPACKED = cachePath("nats-server");
const BINARY = join(UNPACKED, "usr", "sbin", "nats-server");

/**
 * The path of a nats-server binary: NATS_SERVER_BIN, else on PATH or in /usr/sbin, else from Debian's or Ubuntu's
 * package, which is downloaded and unpacked into node_modules/.cache. Throws an error that says how to install it.
 */
export async function findNatsServer(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = env.NATS_SERVER_BIN;
  if (given) {
    if (!isExecutable(given)) throw new Error(`NATS_SERVER_BIN=${given} is not an executable file`);
    return given;
  }
  const found = which("nats-server", `${env.PATH ?? ""}${delimiter}/usr/sbin`);
  if (found) return found;
  if (isExecutable(BINARY)) return BINARY;
  const apt = which("apt-get", env.PATH ?? "");
  if (!apt) throw new Error(HOW_TO_INSTALL);
  await unpackDebianPackage(apt);
  return BINARY;
}

/** Version of a nats-server binary as [major, minor, patch]. Throws if it prints none. */
export async function natsVersion(binary: string): Promise<[number, number, number]> {
  const { stdout } = await run(binary, ["--version"]);
  const match = /v?(\d+)\.(\d+)\.(\d+)/.exec(stdout);
  if (!match) throw new Error(`${binary} --version printed no version: ${stdout.trim()}`);
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

function which(name: string, path: string): string | null {
  const directories = path.split(delimiter).filter((directory) => directory !== "");
  return directories.map((directory) => join(directory, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Unpacks Debian's package beside the project. Its files are all that is needed: a regular installation would start
 * a system service on port 4222, and needs root.
 */
async function unpackDebianPackage(apt: string): Promise<void> {
  await mkdir(dirname(UNPACKED), { recursive: true });
  const place = await mkdtemp(`${UNPACKED}-`);
  try {
    await download(apt, place);
    const [archive] = (await readdir(place)).filter((name) => name.endsWith(".deb"));
    await run("dpkg-deb", ["--extract", join(place, archive!), place]);
    await rename(place, UNPACKED);
  } catch (error) {
    await rm(place, { recursive: true });
    // Another process may have unpacked the same package meanwhile.
    if (!isExecutable(BINARY))
      throw new Error(`${HOW_TO_INSTALL} (apt-get failed: ${error})`, { cause: error });
  }
}

async function download(apt: string, place: string): Promise<void> {
  const packages = ["download", "nats-server"];
  try {
    await run(apt, packages, { cwd: place });
  } catch {
    // An image without package lists knows no package at all: fetch the lists (as root) and try once more.
    await run(apt, ["update"]);
    await run(apt, packages, { cwd: place });
  }
}
