import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Keeps a second process out of a data directory: two of them would destroy it, and PGlite's own postmaster.pid
 * names no process. Returns the function that unlocks. A lock left by a killed process is taken over.
 * Throws if the process in the lock file is still alive.
 */
export function lockDataDir(dataDir: string): () => void {
  const path = join(dataDir, "footfall.lock");
  const holder = readHolder(path);
  if (holder !== null && holder !== process.pid && isServer(holder)) {
    throw new Error(`${dataDir} is in use by process ${holder}`);
  }
  writeFileSync(path, `${process.pid}\n`);
  return () => unlinkSync(path);
}

function readHolder(path: string): number | null {
  try {
    return Number(readFileSync(path, "utf8")) || null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Whether the process lives and, where /proc tells, is a server of ours and not a later user of the number. */
function isServer(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("timescale-embedded");
  } catch {
    return process.platform !== "linux";
  }
}
