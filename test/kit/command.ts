import { type ChildProcess, execFile } from "node:child_process";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of cmd/ that ends by itself. */
export interface Command {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

/** Starts a program with nothing in its environment but what is given, and where Node keeps what it has compiled. */
export function startCommand(main: string, args: readonly string[], env: NodeJS.ProcessEnv): Command {
  const { NODE_COMPILE_CACHE } = process.env;
  const options = { env: { ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }), ...env } };
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>();
  const child = execFile(process.execPath, [main, ...args], options, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
  });
  return { child, outcome };
}
