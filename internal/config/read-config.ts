import type { Command } from "commander";
import { Files } from "./changing-file.ts";
import { ConfigError } from "./config-error.ts";
import { addFlags, addVariables, givenFlags, newCommand, parseFlags } from "./flags.ts";
import { readSecret } from "./read-secret.ts";
import { isServiceLink } from "./service-links.ts";
import { type ConfigOf, flagOf, isSecret, type Setting, type Settings } from "./setting.ts";

export interface Program<S extends Settings> {
  readonly name: string;
  readonly description: string;
  readonly settings: S;
}

/**
 * Reads a program's configuration, once: flag, else environment variable, else default. Secrets come from variables
 * or files, and those in files are read anew when they change.
 *
 * `--help` prints every setting with its variable and default, and ends the process.
 * @param knownNames every FOOTFALL_* variable of any program; another one in `env` is a typing error.
 * @param files is told of the files of secrets.
 * @throws ConfigError naming each unknown, missing or wrong setting.
 */
export function readConfig<S extends Settings>(
  program: Program<S>,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  knownNames: ReadonlySet<string>,
  files = new Files(),
): ConfigOf<S> {
  const command = commandOf(program);
  parseFlags(command, argv);
  return configOf(program.settings, givenFlags(command, program.settings), env, knownNames, files);
}

function commandOf({ name, description, settings }: Program<Settings>): Command {
  const command = newCommand(name).description(description);
  addFlags(command, settings);
  addVariables(command, settings);
  return command;
}

/**
 * The values of some settings. @param given the texts of the command line, by the settings' keys.
 * @param files is told of the files of secrets.
 * @throws ConfigError naming each unknown, missing or wrong setting.
 */
export function configOf<S extends Settings>(
  settings: S,
  given: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
  knownNames: ReadonlySet<string>,
  files = new Files(),
): ConfigOf<S> {
  const problems = unknownVariables(env, knownNames);
  const config: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    if (isSecret(setting)) {
      const secret = readSecret(setting, env, files);
      if (typeof secret === "function") config[key] = secret;
      else problems.push(...secret.problems);
      continue;
    }
    const source = sourceOf(key, setting, given, env);
    if (source === undefined) {
      if (setting.isOptional) config[key] = undefined;
      else problems.push(`${namesOf(key, setting)} is required: ${setting.description}`);
      continue;
    }
    const result = setting.schema.safeParse(source.text);
    if (result.success) config[key] = result.data;
    else problems.push(...result.error.issues.map((issue) => describe(setting, source, issue.message)));
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return config as ConfigOf<S>;
}

/** How a setting is given: "FOOTFALL_PORT (--port)". */
function namesOf(key: string, setting: Setting<unknown>): string {
  const flag = `--${flagOf(key, setting)}`;
  return setting.env === undefined ? flag : `${setting.env} (${flag})`;
}

interface Source {
  readonly name: string;
  readonly text: string;
}

function sourceOf(
  key: string,
  setting: Setting<unknown>,
  given: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
): Source | undefined {
  const flag = given.get(key);
  if (flag !== undefined) return { name: `--${flagOf(key, setting)}`, text: flag };
  const variable = setting.env && env[setting.env];
  if (variable !== undefined && !isServiceLink(setting.env!, variable))
    return { name: setting.env!, text: variable };
  return setting.fallback === undefined ? undefined : { name: "default", text: setting.fallback };
}

function unknownVariables(env: NodeJS.ProcessEnv, known: ReadonlySet<string>): string[] {
  return Object.entries(env)
    .filter(([name]) => name.startsWith("FOOTFALL_") && !known.has(name))
    .filter(([name, value = ""]) => !isServiceLink(name, value))
    .map(([name]) => `${name} is not a setting of any Footfall program`);
}

function describe(setting: Setting<unknown>, source: Source, message: string): string {
  return `${source.name}: ${setting.secret ? "the value" : JSON.stringify(source.text)} ${message}`;
}
