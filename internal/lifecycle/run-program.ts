import { Closers } from "./closers.ts";

/** What a program gets from its runner. */
export interface Life {
  /** Aborted at the first SIGINT or SIGTERM: stop taking new work. */
  readonly stopping: AbortSignal;
  /** Registers how to give back what was just acquired. Closers run last-in-first-out. */
  onClose(name: string, close: () => Promise<void> | void): void;
  /** Ends the program as a signal would, with an exit code; for a loop that finds that it cannot go on. */
  stop(reason: string, exitCode: number): void;
}

export interface RunOptions {
  /** For all closers together, milliseconds. */
  readonly closeDeadlineMs?: number;
  /** From the first signal until `life.stopping`, milliseconds: the program goes on working. Default 0. */
  readonly graceMs?: number;
  /** Told of the first signal, before the grace. */
  readonly onSignal?: () => void;
  /** Where the runner reports problems. */
  readonly report?: (message: string) => void;
}

/**
 * Runs a program to its end: `start` acquires and returns (a server) or does its work and calls `life.stop`
 * (a command). The first SIGINT or SIGTERM drains and closes, after a grace if there is one, a second one forces.
 * Exit codes: 0 clean, 1 could not start or failed, 2 wrong configuration, 3 closing failed or took too long.
 */
export async function runProgram(
  start: (life: Life) => Promise<void>,
  options: RunOptions = {},
): Promise<void> {
  const { closeDeadlineMs = 20_000, report = (m) => process.stderr.write(`${m}\n`) } = options;
  const closers = new Closers();
  const stopping = new AbortController();
  const ended = Promise.withResolvers<number>();
  const stop = (reason: string, exitCode: number) => {
    if (stopping.signal.aborted) return;
    stopping.abort(new Error(reason));
    ended.resolve(exitCode);
  };
  onSignals(options, stop, stopping.signal);
  const life: Life = { stopping: stopping.signal, onClose: (name, close) => closers.add(name, close), stop };
  start(life).catch((error: unknown) => {
    // A start that was interrupted by a signal fails as a matter of course: that is no error.
    if (stopping.signal.aborted) return;
    report(describe(error));
    stop("failed", isConfigError(error) ? 2 : 1);
  });
  const exitCode = await ended.promise;
  try {
    await closers.closeAll(closeDeadlineMs);
    process.exit(exitCode);
  } catch (error) {
    report(`closing: ${String(error)}`);
    process.exit(exitCode || 3);
  }
}

/** The first signal stops the program, after the grace; a second one ends it at once. */
function onSignals(
  { graceMs = 0, onSignal }: RunOptions,
  stop: (reason: string, exitCode: number) => void,
  stopping: AbortSignal,
): void {
  let signalled = false;
  const take = (name: NodeJS.Signals) => {
    if (signalled || stopping.aborted) process.exit(1);
    signalled = true;
    onSignal?.();
    if (graceMs === 0) stop(name, 0);
    else setTimeout(() => stop(name, 0), graceMs);
  };
  process.on("SIGINT", take);
  process.on("SIGTERM", take);
}

/** Wrong settings: known by their name, as the class is of another folder of this layer. */
function isConfigError(error: unknown): boolean {
  return error instanceof Error && error.name === "ConfigError";
}

/** What an operator needs to know: the message alone of what was expected to happen, else where it happened. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isConfigError(error) || error.name === "Failure" ? error.message : (error.stack ?? error.message);
}
