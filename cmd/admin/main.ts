import { admin } from "../../internal/config/programs/admin.ts";
import { ConfigError } from "../../internal/config/read-config.ts";
import { runProgram } from "../../internal/lifecycle/run-program.ts";
import { configOrExit } from "../../internal/program/run-service.ts";
import { createPool } from "../../internal/store/pool.ts";
import { COMMANDS, exitCodeOf } from "./commands.ts";

const args = process.argv.slice(2);
// Some commands are two words: `admin goal add`.
const isGroup = [...COMMANDS.keys()].some((key) => key.startsWith(`${args[0]} `));
const words = isGroup && args[1]?.startsWith("-") === false ? 2 : 1;
const [name, rest] = [args.slice(0, words).join(" "), args.slice(words)];
// `admin load-rates FILE` is short for `admin load-rates --file FILE`.
const flags = name === "load-rates" && rest[0]?.startsWith("-") === false ? ["--file", ...rest] : rest;
const asksForHelp = name.startsWith("-");
const config = configOrExit(admin, asksForHelp ? [name, ...flags] : flags);

await runProgram(async (life) => {
  const command = COMMANDS.get(name);
  if (command === undefined) {
    throw new ConfigError(
      `admin: no command ${JSON.stringify(name)}; there are ${[...COMMANDS.keys()].join(", ")}`,
    );
  }
  const pool = createPool({
    url: config.databaseUrl,
    name: "admin",
    maxConnections: 1,
    statementTimeoutMs: 0,
  });
  life.onClose("database", () => pool.end());
  const result = await command(pool, config);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  life.stop("done", exitCodeOf(result));
});
