import { expect } from "vitest";
import { type Finished, launch } from "../../../test/kit/launch.ts";

/** Starts admin with nothing in its environment but what is given. */
export const startAdmin = (args: readonly string[], env: NodeJS.ProcessEnv) => launch("admin", { args, env });

/** Runs admin to its end. */
export const runAdmin = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> =>
  startAdmin(args, env).finished;

/** Runs a command that must succeed, with --json, and reads the one line that it prints. */
export async function resultOf<T>(args: readonly string[], env: NodeJS.ProcessEnv): Promise<T> {
  const { code, stdout, stderr } = await runAdmin([...args, "--json"], env);
  expect({ code, stderr, lines: stdout.split("\n").length }).toEqual({ code: 0, stderr: "", lines: 2 });
  return JSON.parse(stdout) as T;
}
