import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cachePath } from "../../internal/embedded/cache.ts";

const run = promisify(execFile);

/** A program, and what its environment must have to find its libraries. */
export interface DebianProgram {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

/** PostgreSQL's `postgres`, the newest that is installed or that Debian has; undefined where neither is to be had. */
export const findPostgres = () => find("postgresql", "/usr/lib/postgresql/*/bin/postgres");

/** PgBouncer; likewise. */
export const findPgbouncer = () => find("pgbouncer", "/usr/sbin/pgbouncer");

/**
 * A program where its package has it; else from the package with all that lacks here of what it needs, downloaded and
 * unpacked into node_modules/.cache: an installation would start a system service.
 */
async function find(debianPackage: string, pattern: string): Promise<DebianProgram | undefined> {
  const installed = newest(globSync(pattern));
  if (installed !== undefined) return { path: installed, env: {} };
  const unpacked = cachePath(`debian-${debianPackage}`);
  if (!existsSync(unpacked)) await keep(debianPackage, unpacked).catch(() => {});
  const path = newest(globSync(join(unpacked, pattern)));
  const libraries = globSync(join(unpacked, "usr/lib/*-linux-gnu"));
  return path === undefined ? undefined : { path, env: { LD_LIBRARY_PATH: libraries.join(":") } };
}

const newest = (paths: readonly string[]) =>
  paths.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);

async function keep(debianPackage: string, unpacked: string): Promise<void> {
  await mkdir(dirname(unpacked), { recursive: true });
  const place = await mkdtemp(`${unpacked}-`);
  try {
    const archives = join(place, "archives");
    await mkdir(join(archives, "partial"), { recursive: true });
    // An image without package lists knows no package at all.
    await download(debianPackage, archives).catch(async () => {
      await run("apt-get", ["update"]);
      await download(debianPackage, archives);
    });
    for (const name of await readdir(archives)) {
      if (name.endsWith(".deb")) await run("dpkg-deb", ["--extract", join(archives, name), place]);
    }
    await rm(archives, { recursive: true });
    // Another process may have put it there meanwhile.
    await rename(place, unpacked).catch(() => {});
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function download(debianPackage: string, archives: string): Promise<void> {
  const only = ["install", "--yes", "--no-install-recommends", "--download-only"];
  const options = ["-o", `Dir::Cache::archives=${archives}`, "-o", "Debug::NoLocking=1"];
  await run("apt-get", [...only, ...options, "-o", "APT::Sandbox::User=root", debianPackage]);
}
