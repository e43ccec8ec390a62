import { fileURLToPath } from "node:url";
import { environmentFor } from "../config/programs/own-secrets.ts";
import { type Child, type OutputListener, startChild } from "../embedded/child.ts";

export type ProgramName = "collector" | "ingest" | "aggregator" | "query" | "archiver";

const READY_MS = 60_000;

/**
 * Starts a program of cmd/ in a process of its own, configured by its environment, which holds no other program's
 * secrets; resolves when /readyz says ok.
 */
export function startProgram(
  name: ProgramName,
  opsPort: number,
  env: Readonly<Record<string, string>>,
  onOutput?: OutputListener,
): Promise<Child> {
  return startChild({
    command: process.execPath,
    args: [fileURLToPath(new URL(`../../cmd/${name}/main.ts`, import.meta.url))],
    env: {
      ...environmentFor(name, env, process.env),
      [`FOOTFALL_${name.toUpperCase()}_OPS_PORT`]: String(opsPort),
    },
    ready: () => isReady(opsPort),
    timeoutMs: READY_MS,
    onOutput,
  });
}

async function isReady(opsPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok;
  } catch {
    return false;
  }
}
