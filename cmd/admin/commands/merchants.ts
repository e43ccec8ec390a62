import { ConfigError } from "../../../internal/config/read-config.ts";
import { type CreatedMerchant, createMerchant, listMerchants } from "../../../internal/store/merchants.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import type { Config } from "./command.ts";

/** Creates a merchant; the only time that its keys are shown. */
export async function create(
  pool: Pool,
  { name, timeZone, currency, retentionDays, truncateIp }: Config,
): Promise<CreatedMerchant> {
  if (name === undefined) throw new ConfigError("create-merchant: --name is required");
  await readInstallation(pool);
  return createMerchant(pool, { name, timeZone, currency, retentionDays, truncateIp });
}

/** All merchants, and from when on each one's reports may use rollups (null: never). */
export async function list(pool: Pool) {
  await readInstallation(pool);
  return (await listMerchants(pool)).map(({ rollupsReadyFrom, ...merchant }) => {
    const isReady = rollupsReadyFrom !== null && rollupsReadyFrom !== undefined;
    return { ...merchant, rollupsReadyFrom: isReady ? new Date(rollupsReadyFrom).toISOString() : null };
  });
}
