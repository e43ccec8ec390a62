import type { Command as CommandLine } from "commander";
import { ConfigError } from "./config-error.ts";
import { addFlags, addVariables, givenFlags, lastOf, newCommand, parseFlags } from "./flags.ts";
import { configOf, type Program } from "./read-config.ts";
import { type ConfigOf, flag, type Settings } from "./setting.ts";

/** One command of a program that has several, such as `admin keys list`. @typeParam D what it works with. */
export interface Command<D, S extends Settings = Settings, R = unknown> {
  /** The words behind the program's name: "keys list". */
  readonly name: string;
  readonly description: string;
  /** Its flags in an example, as typed at a shell; empty where it needs none. */
  readonly example: string;
  /** What it takes beside what every command of the program takes. */
  readonly settings: S;
  /** @returns what `--json` prints. */
  run(deps: D, config: ConfigOf<S>): Promise<R>;
  /** The result as people read it, or in the format that the command was told. */
  table(result: R, config: ConfigOf<S>): string;
  /** Whether the result is a good one: exit code 0, else 1. Absent: it always is. */
  isOk?(result: R): boolean;
}

/** A program with commands; its settings are what every command takes. */
export interface CommandProgram<D, S extends Settings = Settings> extends Program<S> {
  readonly commands: readonly Command<D>[];
}

/** Tells the compiler how a command's parts belong together. */
export const defineCommand =
  <D>() =>
  <S extends Settings, R>(command: Command<D, S, R>): Command<D> =>
    command as unknown as Command<D>;

/** All that a command takes. One that has formats has JSON among them. */
export function settingsOf(program: CommandProgram<never>, command: Command<never>): Settings {
  const settings = { ...program.settings, ...command.settings };
  if ("format" in settings) return settings;
  return { ...settings, json: flag("print the result as one line of JSON") };
}

export interface Chosen<D, S extends Settings> {
  readonly command: Command<D>;
  readonly config: ConfigOf<S> & { readonly json?: boolean };
}

/**
 * Finds the command that a command line names, and reads its configuration. `--help` prints the help of the program,
 * of a group of commands or of a command, and ends the process.
 * @throws ConfigError for an unknown command, with those that there are, and as readConfig does.
 */
export function readCommand<D, S extends Settings>(
  program: CommandProgram<D, S>,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  knownNames: ReadonlySet<string>,
): Chosen<D, S> {
  const root = commandLineOf(program);
  const named = lastOf(root, argv);
  const words = wordsOf(named);
  try {
    parseFlags(root, argv);
    // Any other command line has ended by now: in the help, or in an error.
    const command = program.commands.find(({ name }) => `${program.name} ${name}` === words)!;
    const settings = settingsOf(program, command);
    const config = configOf(settings, givenFlags(named, settings), env, knownNames);
    return { command, config: config as Chosen<D, S>["config"] };
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(`${words}: ${error.message}`) : error;
  }
}

function wordsOf(command: CommandLine): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
}

function commandLineOf(program: CommandProgram<never>): CommandLine {
  const root = newCommand(program.name).description(program.description);
  for (const command of program.commands) {
    const words = command.name.split(" ");
    const at = words.reduce((parent, word) => childOf(parent, word), root);
    const settings = settingsOf(program, command);
    at.description(command.description).action(() => {});
    addFlags(at, settings);
    addVariables(at, settings);
    at.addHelpText("after", `\nExample:\n  ${exampleOf(program, command)}`);
  }
  for (const group of root.commands) {
    const verbs = group.commands.map((one) => one.name());
    if (verbs.length > 0) group.description(verbs.join(", ")).helpCommand(false);
  }
  root.addHelpText("after", `\n\`${program.name} COMMAND --help\` shows the flags of a command.`);
  return root;
}

function childOf(parent: CommandLine, word: string): CommandLine {
  return parent.commands.find((one) => one.name() === word) ?? parent.command(word);
}

/** A command as typed at a shell. */
export function exampleOf(program: CommandProgram<never>, { name, example }: Command<never>): string {
  return `${program.name} ${name} ${example}`.trimEnd();
}
