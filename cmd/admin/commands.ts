import { migrate } from "../../internal/store/migrate.ts";
import type { Command } from "./commands/command.ts";
import { erase, erasures } from "./commands/erase.ts";
import { GOAL_COMMANDS } from "./commands/goals.ts";
import { create, list } from "./commands/merchants.ts";
import { loadRates } from "./commands/rates.ts";
import { rollups } from "./commands/rollups.ts";
import { storage, verify } from "./commands/storage.ts";
import { streams } from "./commands/streams.ts";

/** Loaded when asked for: the clients of S3 and Parquet take longer to load than most commands to run. */
const archive = () => import("./commands/archive.ts");

/** The commands by name; each returns what is printed, as one JSON line. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["migrate", async (pool, { partitions }) => ({ applied: await migrate(pool, partitions) })],
  ["create-merchant", create],
  ["list-merchants", list],
  ["load-rates", loadRates],
  ["storage", storage],
  ["verify", verify],
  ["rollups", rollups],
  ["verify-archive", async (...given) => (await archive()).verifyTheArchive(...given)],
  ["streams", streams],
  ...GOAL_COMMANDS,
  ["erase", erase],
  ["erasures", erasures],
  ["erase-archive", async (...given) => (await archive()).eraseArchive(...given)],
]);

/** A result that says that it is not ok is a failure. */
export function exitCodeOf(result: unknown): number {
  return typeof result === "object" && result !== null && "ok" in result && result.ok === false ? 1 : 0;
}
