import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { cachePath } from "../cache.ts";
import { unpackLaterPackage, unpackOwnPackage } from "./debian-package.ts";

const run = promisify(execFile);

const HOW_TO_INSTALL =
  "nats-server was not found. Install it (Debian/Ubuntu: apt-get install nats-server; others: " +
  "https://github.com/nats-io/nats-server/releases) or set NATS_SERVER_BIN to its path.";

/** A package, unpacked; or only a link to the server that was found, where no better one is to be had. */
const UNPACKED = cachePath("nats-server");
const BINARY = serverIn(UNPACKED);

/** Older ones know no `sync_interval: always`, and their clusters lose leaders. */
const WANTED = [2, 10] as const;

/**
 * The path of a nats-server binary, of 2.10 or later where one can be had: NATS_SERVER_BIN (whichever version), else
 * on PATH or in /usr/sbin, else from the package of Debian or Ubuntu, else from Debian 13's, which are downloaded
 * and unpacked into node_modules/.cache; else an older one. Throws an error that says how to install it.
 */
export async function findNatsServer(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = env.NATS_SERVER_BIN;
  if (given) {
    if (!isExecutable(given)) throw new Error(`NATS_SERVER_BIN=${given} is not an executable file`);
    return given;
  }
  if (isExecutable(BINARY)) return BINARY;
  const installed = which("nats-server", `${env.PATH ?? ""}${delimiter}/usr/sbin`);
  if (installed && (await isWanted(installed))) return installed;
  await keepBest(installed, which("apt-get", env.PATH ?? ""));
  return BINARY;
}

/** Whether a version is as new as is asked for. */
async function isWanted(binary: string): Promise<boolean> {
  const [major, minor] = await natsVersion(binary);
  return major > WANTED[0] || (major === WANTED[0] && minor >= WANTED[1]);
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

/** Puts the best server that can be had at BINARY; the next call finds it there. */
async function keepBest(installed: string | null, apt: string | null): Promise<void> {
  await mkdir(dirname(UNPACKED), { recursive: true });
  const place = await mkdtemp(`${UNPACKED}-`);
  try {
    await rename(await fillWithBest(place, installed, apt), UNPACKED);
  } catch (error) {
    // Another process may have put one there meanwhile.
    if (!isExecutable(BINARY)) throw error;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** @returns the folder in `place` that holds usr/sbin/nats-server. */
async function fillWithBest(place: string, installed: string | null, apt: string | null): Promise<string> {
  const [own, later] = [join(place, "own"), join(place, "later")];
  const failed: unknown[] = [];
  const attempt = (unpacking: Promise<void>) => unpacking.catch((error: unknown) => void failed.push(error));
  await Promise.all([mkdir(own), mkdir(later)]);
  if (apt && !installed) await attempt(unpackOwnPackage(apt, own));
  if (await holdsWanted(own)) return own;
  if (apt) await attempt(unpackLaterPackage(apt, later));
  if (await holdsWanted(later)) return later;
  if (installed) await linkTo(installed, own);
  if (isExecutable(serverIn(own))) return own;
  throw new AggregateError(failed, `${HOW_TO_INSTALL} ${failed.join("; ")}`);
}

function serverIn(folder: string): string {
  return join(folder, "usr", "sbin", "nats-server");
}

const holdsWanted = async (folder: string): Promise<boolean> =>
  isExecutable(serverIn(folder)) && isWanted(serverIn(folder));

async function linkTo(installed: string, folder: string): Promise<void> {
  await mkdir(dirname(serverIn(folder)), { recursive: true });
  await symlink(installed, serverIn(folder));
}
