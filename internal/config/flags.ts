import { Command, CommanderError, Option } from "commander";
import { ConfigError } from "./config-error.ts";
import { flagOf, isSecret, type Setting, type Settings } from "./setting.ts";

/** A command line that tells what is wrong with it by a thrown error, and nothing by itself. */
export function newCommand(name: string): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .allowExcessArguments(false)
    .helpCommand(false);
}

/** Adds the flags of some settings, each with its variable and its default. */
export function addFlags(command: Command, settings: Settings): void {
  for (const [key, setting] of Object.entries(settings)) {
    if (isSecret(setting)) continue;
    const option = new Option(`--${flagOf(key, setting)}${placeholder(setting)}`, describeSetting(setting));
    if (setting.isList) option.argParser((text, earlier) => (earlier ? `${earlier},${text}` : text));
    command.addOption(option);
  }
}

/** Adds to the help the settings that have no flag. */
export function addVariables(command: Command, settings: Settings): void {
  const lines = Object.values(settings)
    .filter(isSecret)
    .map(({ env, ...setting }) => `  ${env}  ${describeSetting(setting)}`);
  if (lines.length === 0) return;
  command.addHelpText(
    "after",
    `\nVariables, or NAME_FILE with the file that holds the value:\n${lines.join("\n")}`,
  );
}

/** `true` and `false` behind a switch override a variable; where there is none the switch stands alone. */
function placeholder({ isSwitch, env }: Setting<unknown>): string {
  if (!isSwitch) return " <value>";
  return env === undefined ? "" : " [value]";
}

/** A setting as the help shows it: "which [FOOTFALL_PORT; default: 80]". */
export function describeSetting({
  description,
  env,
  fallback,
  isOptional,
  isSwitch,
}: Setting<unknown>): string {
  const isPlain = isOptional || (isSwitch && env === undefined);
  const value = fallback === undefined ? "required" : `default: ${fallback || "none"}`;
  const shown = [env, isPlain ? undefined : value].filter((part) => part !== undefined);
  return shown.length === 0 ? description : `${description} [${shown.join("; ")}]`;
}

/**
 * Parses a command line. `--help` prints the help and ends the process.
 * @throws ConfigError for an unknown word or flag, with the closest one that there is.
 */
export function parseFlags(command: Command, argv: readonly string[]): void {
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The help is printed by now.
    if (error.exitCode === 0) process.exit(0);
    throw new ConfigError(messageOf(error, command, argv));
  }
}

function messageOf({ code, message }: CommanderError, command: Command, argv: readonly string[]): string {
  const known = `there are ${lastOf(command, argv)
    .commands.map((one) => one.name())
    .join(", ")}`;
  if (code === "commander.help") return `a command is missing; ${known}`;
  // A flag with a typing error in its name may hold a secret: --ingest-tokn=SECRET.
  const shown = message
    .replace(/^error: /, "")
    .replace(/(unknown option '[^=']*)=.*'/s, "$1'")
    .replace("\n(", " (");
  return code === "commander.unknownCommand" ? `${shown}; ${known}` : shown;
}

/** The innermost command that a command line names. */
export function lastOf(command: Command, argv: readonly string[]): Command {
  const next = command.commands.find((one) => one.name() === argv[0]);
  return next === undefined ? command : lastOf(next, argv.slice(1));
}

/** The texts that a command line gave, by the settings' keys. */
export function givenFlags(command: Command, settings: Settings): Map<string, string> {
  const given = new Map<string, string>();
  for (const [key, setting] of Object.entries(settings)) {
    const option = command.options.find(({ long }) => long === `--${flagOf(key, setting)}`);
    const value: unknown = option && command.getOptionValue(option.attributeName());
    if (value === true) given.set(key, "true");
    if (typeof value === "string") given.set(key, value);
  }
  return given;
}
