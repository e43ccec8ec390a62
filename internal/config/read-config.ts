import { Command, CommanderError, Option } from "commander";
import type { ConfigOf, Setting, Settings } from "./setting.ts";

/** A setting that is unknown, missing or wrong. The message names it, and the value unless it is secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

export interface Program<S extends Settings> {
  readonly name: string;
  readonly description: string;
  readonly settings: S;
}

/**
 * Reads a program's configuration, once: flag, else environment variable, else default.
 *
 * `--help` prints every setting with its variable and default, and ends the process.
 * @param knownNames every FOOTFALL_* variable of any program; another one in `env` is a typing error.
 * @throws ConfigError naming each unknown, missing or wrong setting.
 */
export function readConfig<S extends Settings>(
  program: Program<S>,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  knownNames: ReadonlySet<string>,
): ConfigOf<S> {
  const given = parseFlags(program, argv);
  const problems = unknownVariables(env, knownNames);
  const config: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(program.settings)) {
    const source = sourceOf(setting, given, env);
    if (source === undefined) {
      problems.push(`${setting.env} (--${setting.flag}) is required: ${setting.description}`);
      continue;
    }
    const result = setting.schema.safeParse(source.text);
    if (result.success) config[key] = result.data;
    else problems.push(...result.error.issues.map((issue) => describe(setting, source, issue.message)));
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return config as ConfigOf<S>;
}

/** The help text of a program, as `--help` prints it. */
export function helpText(program: Program<Settings>): string {
  return commandOf(program).helpInformation();
}

function commandOf(program: Program<Settings>): Command {
  const command = new Command(program.name).description(program.description).allowExcessArguments(false);
  for (const setting of Object.values(program.settings)) {
    const shown = setting.fallback === undefined ? "required" : `default: ${setting.fallback || "none"}`;
    command.addOption(
      new Option(
        `--${setting.flag} ${setting.isSwitch ? "[value]" : "<value>"}`,
        `${setting.description} [${setting.env}; ${shown}]`,
      ),
    );
  }
  return command;
}

function parseFlags(program: Program<Settings>, argv: readonly string[]): Map<string, string> {
  const command = commandOf(program)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The help is printed by now.
    if (error.exitCode === 0) process.exit(0);
    // A flag with a typing error in its name may hold a secret: --ingest-tokn=SECRET.
    const message = error.message.replace(/(unknown option '[^=']*)=.*'/s, "$1'");
    throw new ConfigError(message.replace(/^error: /, ""));
  }
  const given = new Map<string, string>();
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (value === true) given.set(option.long!.slice(2), "true");
    if (typeof value === "string") given.set(option.long!.slice(2), value);
  }
  return given;
}

interface Source {
  readonly name: string;
  readonly text: string;
}

function sourceOf(
  setting: Setting<unknown>,
  given: Map<string, string>,
  env: NodeJS.ProcessEnv,
): Source | undefined {
  const flag = given.get(setting.flag);
  if (flag !== undefined) return { name: `--${setting.flag}`, text: flag };
  const variable = env[setting.env];
  if (variable !== undefined) return { name: setting.env, text: variable };
  return setting.fallback === undefined ? undefined : { name: "default", text: setting.fallback };
}

function unknownVariables(env: NodeJS.ProcessEnv, known: ReadonlySet<string>): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("FOOTFALL_") && !known.has(name))
    .map((name) => `${name} is not a setting of any Footfall program`);
}

function describe(setting: Setting<unknown>, source: Source, message: string): string {
  return `${source.name}: ${setting.secret ? "the value" : JSON.stringify(source.text)} ${message}`;
}
