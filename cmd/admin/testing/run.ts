import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { type Outcome, startCommand } from "../../../test/kit/command.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Starts admin with nothing in its environment but what is given. */
export const startAdmin = (args: readonly string[], env: NodeJS.ProcessEnv) => startCommand(MAIN, args, env);

/** Runs admin to its end. */
export const runAdmin = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> =>
  startAdmin(args, env).outcome;

/** Runs a command that must succeed, with --json, and reads the one line that it prints. */
export async function resultOf<T>(args: readonly string[], env: NodeJS.ProcessEnv): Promise<T> {
  const { code, stdout, stderr } = await runAdmin([...args, "--json"], env);
  expect({ code, stderr, lines: stdout.split("\n").length }).toEqual({ code: 0, stderr: "", lines: 2 });
  return JSON.parse(stdout) as T;
}
