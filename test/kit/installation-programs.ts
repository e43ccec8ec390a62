import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { freePort } from "../../internal/embedded/free-port.ts";
import { type ProgramName, startProgram } from "../../internal/standalone/programs.ts";
import type { TestInstallation } from "./installation.ts";

export interface Finished {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of cmd/ that runs on its own, beside an installation's. */
export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** Programs that are no product's. */
const HARNESSES: readonly string[] = ["chaos", "power-loss"];

/**
 * Starts a program of cmd/, or a harness, without waiting for anything, as an operator would at a shell. What still runs at the
 * end of the test, because it failed, is killed.
 * @param env its FOOTFALL_* and address variables.
 */
export function launch(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Running {
  const folder = HARNESSES.includes(name) ? "test" : "cmd";
  const main = fileURLToPath(new URL(`../../${folder}/${name}/main.ts`, import.meta.url));
  const process_ = spawn(process.execPath, [main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void process_.kill("SIGKILL"));
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    process_[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  const finished = new Promise<Finished>((resolve, reject) => {
    process_.once("error", reject);
    process_.once("close", (exitCode) => resolve({ exitCode, ...output }));
  });
  return { process: process_, finished };
}

/** A second process of a service, on ports of its own, at the same installation. */
export interface SecondProcess {
  readonly url: string;
  readonly opsUrl: string;
  readonly pid: number;
  /** Resolves with its exit code. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/** Starts another process of a service; resolves when it is healthy. @param env changes to its settings. */
export async function startSecond(
  { env: shared }: TestInstallation,
  name: ProgramName,
  env: Readonly<Record<string, string>> = {},
): Promise<SecondProcess> {
  // A port that the settings name is kept: a process that was stopped can be started again.
  const portName = `FOOTFALL_${name.toUpperCase()}_PORT`;
  const [port, opsPort] = [Number(env[portName] ?? (await freePort())), await freePort()];
  // The aggregator serves nothing but its operators' port.
  const service = name === "aggregator" ? {} : { [portName]: String(port) };
  const settings = { ...shared, ...service, ...env };
  const child = await startProgram(name, opsPort, settings);
  return { ...child, url: `http://127.0.0.1:${port}`, opsUrl: `http://127.0.0.1:${opsPort}` };
}

/** Sends a signal to a part of an installation. @throws when the part is not running just now. */
export function signal({ pid }: TestInstallation, part: string, name: NodeJS.Signals): number {
  const id = pid(part);
  if (id === undefined) throw new Error(`${part} is not running`);
  process.kill(id, name);
  return id;
}
