import { runCommand } from "../../internal/program/run-command.ts";
import { readInstallation } from "../../internal/store/migrate.ts";
import { createPool } from "../../internal/store/pool.ts";
import { connectNats } from "../../internal/stream/connect.ts";
import { REPLAY } from "./commands.ts";

await runCommand(REPLAY, async (config, life) => {
  const pool = createPool({
    url: config.databaseUrl,
    name: "replay",
    maxConnections: 1,
    statementTimeoutMs: 30_000,
  });
  life.onClose("database", () => pool.end());
  const { partitions } = await readInstallation(pool);
  const nats = await connectNats(config, "replay", 10_000);
  life.onClose("NATS", () => nats.close());
  return { nats, partitions, signal: life.stopping };
});
