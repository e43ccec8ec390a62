import { readFile } from "node:fs/promises";
import type { admin } from "../../internal/config/programs/admin.ts";
import { ConfigError } from "../../internal/config/read-config.ts";
import type { ConfigOf } from "../../internal/config/setting.ts";
import { saveRates } from "../../internal/store/currency-rates.ts";
import {
  type CreatedMerchant,
  createMerchant,
  listMerchants,
  type Merchant,
} from "../../internal/store/merchants.ts";
import { migrate, readInstallation } from "../../internal/store/migrate.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { readRates } from "./read-rates.ts";

type Config = ConfigOf<typeof admin.settings>;
type Command = (pool: Pool, config: Config) => Promise<unknown>;

/** The commands by name; each returns what is printed, as one JSON line. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["migrate", async (pool, { partitions }) => ({ applied: await migrate(pool, partitions) })],
  ["create-merchant", create],
  ["list-merchants", list],
  ["load-rates", loadRates],
]);

async function create(
  pool: Pool,
  { name, timeZone, currency, retentionDays, truncateIp }: Config,
): Promise<CreatedMerchant> {
  if (name === undefined) throw new ConfigError("create-merchant: --name is required");
  await readInstallation(pool);
  return createMerchant(pool, { name, timeZone, currency, retentionDays, truncateIp });
}

async function list(pool: Pool): Promise<Merchant[]> {
  await readInstallation(pool);
  return listMerchants(pool);
}

/** Loads a file of currency rates; those that are there already are replaced. */
async function loadRates(pool: Pool, { file }: Config): Promise<{ rates: number; days: number }> {
  if (file === undefined) throw new ConfigError("load-rates: --file is required");
  await readInstallation(pool);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new ConfigError(
      `load-rates: ${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
    );
  });
  const rates = readRates(text);
  await saveRates(pool, rates);
  return { rates: rates.length, days: new Set(rates.map(({ day }) => day)).size };
}
