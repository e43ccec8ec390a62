import { readFile } from "node:fs/promises";
import { ConfigError } from "../../../internal/config/config-error.ts";
import { text } from "../../../internal/config/setting.ts";
import { saveRates } from "../../../internal/store/currency-rates.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import { command } from "../command.ts";
import { readRates } from "../read-rates.ts";

export const RATE_COMMANDS = [
  command({
    name: "rates load",
    description: "Loads a file of currency rates; those that are there already are replaced.",
    example: "--file eurofxref-hist.csv",
    settings: {
      file: {
        description: "CSV file of units a euro, in the form of the ECB's eurofxref-hist.csv",
        schema: text(),
      },
    },
    run: async (pool, { file }) => {
      await readInstallation(pool);
      const csv = await readFile(file, "utf8").catch((cause: unknown) => {
        throw new ConfigError(`${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`);
      });
      const rates = readRates(csv);
      await saveRates(pool, rates);
      return { rates: rates.length, days: new Set(rates.map(({ day }) => day)).size };
    },
    table: ({ rates, days }) => `Loaded ${rates} rates of ${days} days.`,
  }),
];
