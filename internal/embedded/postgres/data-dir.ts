import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { cachePath } from "../cache.ts";
import { Engine } from "./engine.ts";
import { DATABASE, USER } from "./names.ts";
import { pgliteVersion } from "./version.ts";

/** What `initdb --username footfall` and CREATE DATABASE would give; PGlite's initdb takes no names. */
const NAMES = `
  UPDATE pg_authid SET rolname = '${USER}' WHERE oid = 10;
  UPDATE pg_database SET datname = '${DATABASE}' WHERE datname = 'postgres';
`;

/**
 * Makes sure that `dataDir` holds a cluster with the database and TimescaleDB in it. A new one is a copy of a
 * template, which is made once per installation of PGlite (3 s) and kept in node_modules/.cache (0.1 s from then on).
 * Everything is made beside its place and renamed, so a kill leaves no half-made cluster.
 * Throws if `dataDir` has other files in it.
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  if (existsSync(join(dataDir, "PG_VERSION"))) return;
  await mkdir(dataDir, { recursive: true });
  const found = await readdir(dataDir);
  if (found.length > 0)
    throw new Error(`${dataDir} holds ${found[0]} but no database: choose an empty directory`);
  const template = templatePath();
  if (!existsSync(template)) await makeTemplate(template);
  const place = resolve(dataDir);
  const copy = await mkdtemp(join(dirname(place), `.${basename(place)}-`));
  await cp(template, copy, { recursive: true });
  await rename(copy, place);
}

/** One template per version of PGlite; the last number counts the changes to what this file does. */
function templatePath(): string {
  return cachePath(`timescale-${pgliteVersion()}-1`);
}

async function makeTemplate(template: string): Promise<void> {
  await mkdir(dirname(template), { recursive: true });
  const place = await mkdtemp(`${template}-`);
  const bootstrap = await Engine.open(place, "postgres", "template1");
  bootstrap.query(NAMES);
  bootstrap.close();
  const engine = await Engine.open(place, USER, DATABASE);
  engine.query("CREATE EXTENSION timescaledb");
  engine.close();
  await publish(place, template);
}

/** Another process may have made the same template meanwhile; then this one is not needed. */
async function publish(place: string, template: string): Promise<void> {
  try {
    await rename(place, template);
  } catch (error) {
    if (!existsSync(template)) throw error;
    await rm(place, { recursive: true });
  }
}
