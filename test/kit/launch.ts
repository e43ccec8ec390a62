import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Finished {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program in a process of its own. */
export interface Running {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  readonly output: Readonly<{ stdout: string; stderr: string }>;
  /** When it has ended, and all that it printed has been read. */
  readonly finished: Promise<Finished>;
}

export interface LaunchOptions {
  readonly args?: readonly string[];
  /** Its settings: it has those of no test. */
  readonly env?: NodeJS.ProcessEnv;
  /** URL of a module that is loaded before the program, and with which the test talks by messages. */
  readonly preload?: string;
}

/** Programs that are no product's. */
const HARNESSES: readonly string[] = ["chaos", "power-loss"];

/** What programs need of the test's environment: where Node keeps what it has compiled, and where things are. */
const INHERITED: readonly string[] = ["NODE_COMPILE_CACHE", "PATH", "HOME", "TMPDIR"];

/**
 * Starts a program of cmd/, or a harness, without waiting for anything, as an operator would at a shell. What still runs
 * at the end of the test file, because a test failed, is killed.
 * @param program its name, or the path of another one.
 */
export function launch(program: string, { args = [], env = {}, preload }: LaunchOptions = {}): Running {
  const main = program.endsWith(".ts") || program.endsWith(".js") ? program : mainOf(program);
  const before = preload === undefined ? [] : ["--import", preload];
  const inherited = INHERITED.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : []));
  const process_ = spawn(process.execPath, [...before, main, ...args], {
    stdio: ["ignore", "pipe", "pipe", ...(preload === undefined ? [] : (["ipc"] as const))],
    env: { ...Object.fromEntries(inherited), ...env },
  });
  const killOnExit = () => void process_.kill("SIGKILL");
  process.once("exit", killOnExit);
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    process_[stream]!.setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  const finished = new Promise<Finished>((resolve, reject) => {
    process_.once("error", reject);
    process_.once("close", (code) => {
      process.off("exit", killOnExit);
      resolve({ code, ...output });
    });
  });
  return { process: process_, output, finished };
}

function mainOf(name: string): string {
  const folder = HARNESSES.includes(name) ? "test" : "cmd";
  return fileURLToPath(new URL(`../../${folder}/${name}/main.ts`, import.meta.url));
}
