import { readFile } from "node:fs/promises";
import { ConfigError } from "../../../internal/config/read-config.ts";
import { saveRates } from "../../../internal/store/currency-rates.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import { readRates } from "../read-rates.ts";
import type { Config } from "./command.ts";

/** Loads a file of currency rates; those that are there already are replaced. */
export async function loadRates(pool: Pool, { file }: Config): Promise<{ rates: number; days: number }> {
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
