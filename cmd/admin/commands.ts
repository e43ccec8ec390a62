import type { admin } from "../../internal/config/programs/admin.ts";
import { ConfigError } from "../../internal/config/read-config.ts";
import type { ConfigOf } from "../../internal/config/setting.ts";
import { createMerchant, listMerchants } from "../../internal/store/merchants.ts";
import { migrate } from "../../internal/store/migrate.ts";
import type { Pool } from "../../internal/store/pool.ts";

type Config = ConfigOf<typeof admin.settings>;

/** The commands by name; each returns what is printed, as one JSON line. */
export const COMMANDS: Readonly<Record<string, (pool: Pool, config: Config) => Promise<unknown>>> = {
  migrate: async (pool, { partitions }) => ({ applied: await migrate(pool, partitions) }),
  "create-merchant": (pool, { name, timeZone, currency, retentionDays }) => {
    if (name === undefined) throw new ConfigError("create-merchant: --name is required");
    return createMerchant(pool, { name, timeZone, currency, retentionDays });
  },
  "list-merchants": listMerchants,
};
