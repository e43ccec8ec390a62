import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { environmentFor } from "../config/programs/own-secrets.ts";

/** A server that runs as a child process of this one. */
export interface Child {
  readonly pid: number;
  /** Resolves with the exit code, or with null if a signal ended the process. It never rejects. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, then SIGKILL after 10 s; resolves when the process is gone. May be called again. */
  stop(): Promise<void>;
}

/** The last 64 Ki characters of each. */
export interface Output {
  stdout: string;
  stderr: string;
}

/** Takes a piece of what a child prints, on either stream. */
export type OutputListener = (text: string) => void;

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Its whole environment. Default: that of this process, without secrets. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called again and again until it says yes, with what the child has printed so far. */
  readonly ready: (output: Readonly<Output>) => boolean | Promise<boolean>;
  /** Milliseconds until the child must be ready. */
  readonly timeoutMs: number;
  /** Gets all that it prints, as it comes. */
  readonly onOutput?: OutputListener | undefined;
}

const STOP_MS = 10_000;
const POLL_MS = 20;

const KEPT_OUTPUT = 64 << 10;

/**
 * Starts a child process and waits until it is ready. Its stdin is a pipe that closes when this process dies; when
 * this process exits in an orderly way, the child is killed, and otherwise it is told to end.
 * Throws, with the child's stderr in the message, if it exits first or is not ready in time; it is stopped then.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, args, env = environmentFor(undefined, {}, process.env) } = options;
  const process_ = spawn(...tiedToParent(command, args), { stdio: ["pipe", "pipe", "pipe"], env });
  const exited = exitOf(process_);
  const output: Output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    process_[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] = (output[name] + text).slice(-KEPT_OUTPUT);
      options.onOutput?.(text);
    });
  }
  const child: Child = { pid: process_.pid ?? 0, exited, stop: () => stop(process_, exited) };
  const killOnExit = () => void process_.kill("SIGKILL");
  process.once("exit", killOnExit);
  void exited.then(() => process.off("exit", killOnExit));
  try {
    await waitReady(options, process_, exited, output);
  } catch (error) {
    await child.stop();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${command} ${args.join(" ")}: ${reason}\n${output.stderr}`, { cause: error });
  }
  return child;
}

/** util-linux, which every Debian has. */
const SETPRIV = "/usr/bin/setpriv";

/**
 * The command, run such that the kernel sends it SIGTERM when this process dies, however that happens. Where
 * that cannot be had, only an orderly exit of this process ends it.
 */
function tiedToParent(command: string, args: readonly string[]): [string, string[]] {
  if (process.platform !== "linux" || !existsSync(SETPRIV)) return [command, [...args]];
  return [SETPRIV, ["--pdeathsig", "TERM", command, ...args]];
}

async function waitReady(
  options: ChildOptions,
  process_: ChildProcess,
  exited: Promise<number | null>,
  output: Output,
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  const failed = new Promise<never>((_, reject) => {
    process_.once("error", reject);
    void exited.then((code) => reject(new Error(`exited with ${code} before it was ready`)));
  });
  // Without a handler a later exit would be an unhandled rejection.
  failed.catch(() => {});
  while (!(await Promise.race([options.ready(output), failed]))) {
    if (performance.now() > deadline) throw new Error(`not ready after ${options.timeoutMs} ms`);
    await Promise.race([new Promise((resolve) => setTimeout(resolve, POLL_MS)), failed]);
  }
}

function exitOf(process_: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    process_.once("exit", (code) => resolve(code));
    process_.once("error", () => resolve(null));
  });
}

async function stop(process_: ChildProcess, exited: Promise<number | null>): Promise<void> {
  process_.kill("SIGTERM");
  const timer = setTimeout(() => process_.kill("SIGKILL"), STOP_MS);
  await exited;
  clearTimeout(timer);
}
