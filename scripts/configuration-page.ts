import { readFileSync, writeFileSync } from "node:fs";
import { PROGRAMS } from "../internal/config/programs/all.ts";
import type { Setting } from "../internal/config/setting.ts";

// Writes docs/configuration.md from the programs' settings; with --check says whether it is current.

const PAGE = "docs/configuration.md";

const cell = (text: string) => text.replaceAll("|", "\\|");

function row({ env, flag, description, fallback, secret }: Setting<unknown>): string {
  const shown = fallback === undefined ? "required" : fallback === "" ? "none" : `\`${fallback}\``;
  return `| \`${env}\` | \`--${flag}\` | ${shown} | ${cell(description)}${secret ? " (secret)" : ""} |`;
}

const sections = PROGRAMS.map(({ name, description, settings }) =>
  [
    `## ${name}`,
    description,
    "",
    "| variable | flag | default | meaning |",
    "|---|---|---|---|",
    ...Object.values(settings).map(row),
  ].join("\n"),
);

const text = `# Configuration
Each program reads its settings once, at its start: a flag, else an environment variable, else the default. A value that
is wrong, a flag that is unknown and a \`FOOTFALL_\` variable that no program knows stop the start with exit code 2 and a
message that names it. This page is made by \`node scripts/configuration-page.ts\`; \`--help\` prints the same.

${sections.join("\n\n")}
`;

if (process.argv.includes("--check")) {
  const current = readFileSync(PAGE, "utf8") === text;
  if (!current) process.stderr.write(`${PAGE} is not current, run \`node scripts/configuration-page.ts\`\n`);
  process.exitCode = current ? 0 : 1;
} else {
  writeFileSync(PAGE, text);
}
