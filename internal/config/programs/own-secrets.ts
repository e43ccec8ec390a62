import { fileVariable, isSecret, type Secret, type Settings } from "../setting.ts";
import { PROGRAMS } from "./all.ts";

const secretsOf = (settings: Settings): Secret<unknown>[] => Object.values(settings).filter(isSecret);

const ALL = PROGRAMS.flatMap(({ settings }) => secretsOf(settings));

/**
 * The environment for a program that this one starts: secrets only where they are its own. Other variables are kept.
 * @param given goes before what this process has itself, also where that names a file.
 * @param name a program of Footfall; undefined for another, which gets none.
 */
export function environmentFor(
  name: string | undefined,
  given: NodeJS.ProcessEnv,
  inherited: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const program = PROGRAMS.find((one) => one.name === name);
  const own = new Set(program && secretsOf(program.settings).map(({ env }) => env));
  const env = { ...inherited, ...given };
  for (const secret of ALL) {
    const inFile = fileVariable(secret);
    if (!own.has(secret.env)) {
      delete env[secret.env];
      delete env[inFile];
    } else if (given[inFile] === undefined && given[secret.env] !== undefined) delete env[inFile];
    else if (given[inFile] !== undefined && given[secret.env] === undefined) delete env[secret.env];
  }
  return env;
}
