import { runCommand } from "../../internal/program/run-command.ts";
import { createPool } from "../../internal/store/pool.ts";
import { ADMIN } from "./commands.ts";

await runCommand(ADMIN, async ({ databaseUrl: url }, life) => {
  const pool = createPool({ url, name: "admin", maxConnections: 1, statementTimeoutMs: 0 });
  life.onClose("database", () => pool.end());
  return pool;
});
