import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cachePath } from "../../internal/embedded/cache.ts";
import { startTimescale } from "../../internal/embedded/postgres/start.ts";
import { applyMigrations, knownMigrations } from "../../internal/store/migrate.ts";
import { createPool } from "../../internal/store/pool.ts";

/** Oids of template1 and template0: half of all files, and nobody makes databases of them here. */
const TEMPLATES = ["1", "4"];

/**
 * Fills a folder that does not exist yet with a database to which all migrations were applied: a copy of one that is
 * kept in node_modules/.cache for as long as the migrations stay the same. `migrate` then has little left to do,
 * which takes the better part of a second otherwise.
 */
export async function fillMigrated(dataDir: string): Promise<void> {
  const kept = keptPath();
  if (!existsSync(kept)) await keepMigrated(kept);
  await cp(kept, dataDir, { recursive: true });
}

/** The number counts the changes to what this file does. */
function keptPath(): string {
  const hash = createHash("sha256");
  for (const { sha256 } of knownMigrations()) hash.update(sha256);
  return cachePath(`migrated-3-${hash.digest("hex").slice(0, 16)}`);
}

async function keepMigrated(kept: string): Promise<void> {
  await mkdir(dirname(kept), { recursive: true });
  const place = await mkdtemp(`${kept}-`);
  const server = await startTimescale({ dataDir: place });
  const pool = createPool({ url: server.url, name: "test", maxConnections: 1, statementTimeoutMs: 60_000 });
  await applyMigrations(pool);
  await pool.end();
  await server.stop();
  for (const oid of TEMPLATES) await rm(join(place, "base", oid), { recursive: true });
  // Another process may have kept the same meanwhile.
  await rename(place, kept).catch(() => rm(place, { recursive: true }));
}
