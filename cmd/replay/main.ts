import { replay } from "../../internal/config/programs/replay.ts";
import { ConfigError } from "../../internal/config/read-config.ts";
import { runProgram } from "../../internal/lifecycle/run-program.ts";
import { configOrExit } from "../../internal/program/run-service.ts";
import { readInstallation } from "../../internal/store/migrate.ts";
import { createPool } from "../../internal/store/pool.ts";
import { connectNats } from "../../internal/stream/connect.ts";
import { COMMANDS } from "./commands.ts";

const args = process.argv.slice(2);
const words = args.findIndex((arg) => arg.startsWith("-"));
const name = args.slice(0, words === -1 ? undefined : words).join(" ");
const config = configOrExit(replay, words === -1 ? [] : args.slice(words));

await runProgram(async (life) => {
  const command = COMMANDS.get(name);
  if (command === undefined) {
    const known = [...COMMANDS.keys()].join(", ");
    throw new ConfigError(`replay: no command ${JSON.stringify(name)}; there are ${known}`);
  }
  const { databaseUrl: url, natsUrl } = config;
  const pool = createPool({ url, name: "replay", maxConnections: 1, statementTimeoutMs: 30_000 });
  life.onClose("database", () => pool.end());
  const { partitions } = await readInstallation(pool);
  const nats = await connectNats(natsUrl, "replay", 10_000);
  life.onClose("NATS", () => nats.close());
  const running = command({ config, nats, partitions, signal: life.stopping });
  // A signal ends the work behind the batch in hand; what was done is still told.
  life.onClose("command", () => running.then(() => {}));
  const { result, text, exitCode } = await running;
  process.stdout.write(`${config.json ? JSON.stringify(result) : text}\n`);
  life.stop("done", exitCode);
});
