import { type CommandProgram, readCommand } from "../config/commands.ts";
import { ConfigError } from "../config/config-error.ts";
import { KNOWN_VARIABLES } from "../config/programs/all.ts";
import type { ConfigOf, Settings } from "../config/setting.ts";
import { Failure } from "../failure/failure.ts";
import { type Life, runProgram } from "../lifecycle/run-program.ts";
import { orExit } from "./config-or-exit.ts";

/**
 * Runs the command that the command line names, prints its result (a table, or with --json one line of JSON) and ends
 * the process: exit code 0, 1 for a result that is not ok or what failed, 2 for wrong use.
 * @param open acquires what the commands work with, and registers its closers.
 */
export async function runCommand<D, S extends Settings>(
  program: CommandProgram<D, S>,
  open: (config: ConfigOf<S>, life: Life) => Promise<D>,
): Promise<void> {
  const { command, config } = orExit(() =>
    readCommand(program, process.argv.slice(2), process.env, KNOWN_VARIABLES),
  );
  await runProgram(async (life) => {
    const result = await resultOf(life).catch((error: unknown) => {
      throw forOperator(error, `${program.name} ${command.name}`);
    });
    const text = config.json ? JSON.stringify(result) : command.table(result, config);
    await print(text.endsWith("\n") ? text : `${text}\n`);
    life.stop("done", (command.isOk?.(result) ?? true) ? 0 : 1);
  });

  async function resultOf(life: Life): Promise<unknown> {
    const deps = await open(config, life);
    const running = command.run(deps, config);
    // A signal ends the work behind what is in hand; what was done is still told.
    life.onClose("command", () => running.then(nothing, nothing));
    return running;
  }
}

const nothing = () => {};

/** Resolves when the text is handed over, or when nobody reads on, as `head` does not: an exit would cut it off. */
function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EPIPE" ? resolve() : reject(error),
    );
    process.stdout.write(text, () => resolve());
  });
}

/** What is expected is told in a line that names the command; what will never work as it is, is wrong use. */
function forOperator(error: unknown, words: string): unknown {
  if (!(error instanceof ConfigError || error instanceof Failure)) return error;
  const message = `${words}: ${error.message}`;
  if (error instanceof ConfigError || !mayWorkLater(error)) return new ConfigError(message, { cause: error });
  return new Failure("unavailable", message, { cause: error });
}

function mayWorkLater({ kind, retryAfterMs }: Failure): boolean {
  return kind === "unavailable" || kind === "deadline" || kind === "cancelled" || retryAfterMs !== undefined;
}
