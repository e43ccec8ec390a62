import type { Files } from "../config/changing-file.ts";
import { KNOWN_VARIABLES } from "../config/programs/all.ts";
import { type Program, readConfig } from "../config/read-config.ts";
import type { ConfigOf, Settings } from "../config/setting.ts";

/** The program's configuration; a wrong one ends the process with exit code 2 and says which setting. */
export function configOrExit<S extends Settings>(program: Program<S>, files?: Files): ConfigOf<S> {
  return orExit(
    () => readConfig(program, process.argv.slice(2), process.env, KNOWN_VARIABLES, files),
    `${program.name}: `,
  );
}

/** What `read` returns; when it throws, the process ends with exit code 2 and the message. */
export function orExit<T>(read: () => T, before = ""): T {
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${before}${error instanceof Error ? error.message : error}\n`);
    process.exit(2);
  }
}
