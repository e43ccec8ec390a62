import { readFileSync, writeFileSync } from "node:fs";
import { ADMIN } from "../cmd/admin/commands.ts";
import { FOOTFALL } from "../cmd/footfall/commands.ts";
import { REPLAY } from "../cmd/replay/commands.ts";
import { type CommandProgram, exampleOf, settingsOf } from "../internal/config/commands.ts";
import { PROGRAMS } from "../internal/config/programs/all.ts";
import { fileVariable, flagOf, isSecret, type Setting, type Settings } from "../internal/config/setting.ts";

// Writes docs/configuration.md from the programs' settings; with --check says whether it is current.

const PAGE = "docs/configuration.md";

const cell = (text: string) => text.replaceAll("|", "\\|");

function row([key, setting]: [string, Setting<unknown>]): string {
  const { description, fallback, isOptional } = setting;
  const flag = isSecret(setting) ? "" : `\`--${flagOf(key, setting)}\``;
  const value = fallback === "" || isOptional ? "none" : `\`${fallback}\``;
  const shown = fallback === undefined && !isOptional ? "required" : value;
  return `${flag} | ${shown} | ${cell(description)}${isSecret(setting) ? " (secret)" : ""} |`;
}

function variablesOf(setting: Setting<unknown>): string {
  if (setting.env === undefined) return "";
  const names = isSecret(setting) ? [setting.env, fileVariable(setting)] : [setting.env];
  return names.map((name) => `\`${name}\``).join(" or ");
}

/** The column of variables is left out where there is none. */
function tableOf(settings: Settings): string[] {
  const all = Object.entries(settings);
  if (all.length === 0) return [];
  const head = ["| flag | default | meaning |", "|---|---|---|"];
  if (all.every(([, { env }]) => env === undefined))
    return ["", ...head, ...all.map((one) => `| ${row(one)}`)];
  const rows = all.map((one) => `| ${variablesOf(one[1])} | ${row(one)}`);
  return ["", `| variable ${head[0]}`, `|---${head[1]}`, ...rows];
}

/** A program with commands: what all of them take, then each with what it takes besides. */
function commandSections(program: CommandProgram<never>): string[] {
  const common = settingsOf(program, { ...program.commands[0]!, settings: {} });
  return [
    "",
    `Every command takes these; \`${program.name} COMMAND --help\` shows the same. Exit codes: 0, 1 where the result is not ok or the work failed, 2 for wrong use.`,
    ...tableOf(common),
    ...program.commands.flatMap((command) => [
      "",
      `### ${program.name} ${command.name}`,
      command.description,
      "",
      `    ${exampleOf(program, command)}`,
      ...tableOf(ownSettingsOf(program, command)),
    ]),
  ];
}

function ownSettingsOf(program: CommandProgram<never>, command: CommandProgram<never>["commands"][number]) {
  const own = Object.entries(settingsOf(program, command)).filter(([key]) => key in command.settings);
  return Object.fromEntries(own);
}

const WITH_COMMANDS = new Map<string, CommandProgram<never>>([
  [ADMIN.name, ADMIN],
  [REPLAY.name, REPLAY],
  [FOOTFALL.name, FOOTFALL],
]);

const sections = PROGRAMS.map(({ name, description, settings }) => {
  const program = WITH_COMMANDS.get(name);
  const rest = program === undefined ? tableOf(settings) : commandSections(program);
  return [`## ${name}`, description, ...rest].join("\n");
});

const text = `# Configuration
Each program reads its settings once, at its start: a flag, else an environment variable, else the default. \`admin\`,
\`replay\` and \`footfall\` have commands: what one of them alone is told is a flag without a variable. A value that
is wrong, a flag that is unknown and a \`FOOTFALL_\` variable that no program knows stop the start with exit code 2 and a
message that names it. This page is made by \`node scripts/configuration-page.ts\`; \`--help\` prints the same.

**Secrets** have no flag, as whoever may list processes sees their arguments: each is a variable, or stands in the file
that the variable with \`_FILE\` behind its name names (white space at its end is left out; both is an error). They are
never printed. A file is looked at again about once a second while it is in use: new connections use what stands there
then. Where it cannot be used, its former content goes on being used, the log says so and the metric
\`footfall_file_broken\` is 1. Replace files by renaming, so that none is ever seen half. Certificates and their keys are
read anew in the same way.

${sections.join("\n\n")}
`;

if (process.argv.includes("--check")) {
  const current = readFileSync(PAGE, "utf8") === text;
  if (!current) process.stderr.write(`${PAGE} is not current, run \`node scripts/configuration-page.ts\`\n`);
  process.exitCode = current ? 0 : 1;
} else {
  writeFileSync(PAGE, text);
}
