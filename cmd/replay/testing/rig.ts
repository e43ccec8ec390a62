import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { replay } from "../../../internal/config/programs/replay.ts";
import { readConfig } from "../../../internal/config/read-config.ts";
import type { NatsConnection } from "../../../internal/stream/connect.ts";
import { REJECTED_STREAM } from "../../../internal/stream/streams.ts";
import { COMMANDS } from "../commands.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Where a command works. */
export interface Place {
  readonly nc: NatsConnection;
  readonly partitions: number;
  readonly signal?: AbortSignal;
}

/** Runs a command in this process; @returns its result. */
export async function command<T>(place: Place, name: string, ...flags: string[]): Promise<T> {
  const argv = ["--database-url", "postgres://unused", ...flags];
  const config = readConfig(replay, argv, {}, new Set());
  const signal = place.signal ?? new AbortController().signal;
  const deps = { config, nats: place.nc, partitions: place.partitions, signal };
  return (await COMMANDS.get(name)!(deps)).result as T;
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end, as an operator would. */
export function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Takes everything out of the stream of refused batches. */
export async function purgeRejected(nc: NatsConnection): Promise<void> {
  const { jetstreamManager } = await import("@nats-io/jetstream");
  await (await jetstreamManager(nc)).streams.purge(REJECTED_STREAM);
}
