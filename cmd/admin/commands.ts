import { type Verified, verifyArchive } from "../../internal/archive/verify.ts";
import type { admin } from "../../internal/config/programs/admin.ts";
import { ConfigError } from "../../internal/config/read-config.ts";
import type { ConfigOf } from "../../internal/config/setting.ts";
import { openStore } from "../../internal/lake/open-store.ts";
import {
  type CreatedMerchant,
  createMerchant,
  listMerchants,
  type Merchant,
} from "../../internal/store/merchants.ts";
import { migrate, readInstallation } from "../../internal/store/migrate.ts";
import type { Pool } from "../../internal/store/pool.ts";

type Config = ConfigOf<typeof admin.settings>;
type Command = (pool: Pool, config: Config) => Promise<unknown>;

/** The commands by name; each returns what is printed, as one JSON line. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["migrate", async (pool, { partitions }) => ({ applied: await migrate(pool, partitions) })],
  ["create-merchant", create],
  ["list-merchants", list],
  ["verify-archive", verify],
]);

async function create(
  pool: Pool,
  { name, timeZone, currency, retentionDays }: Config,
): Promise<CreatedMerchant> {
  if (name === undefined) throw new ConfigError("create-merchant: --name is required");
  await readInstallation(pool);
  return createMerchant(pool, { name, timeZone, currency, retentionDays });
}

async function list(pool: Pool): Promise<Merchant[]> {
  await readInstallation(pool);
  return listMerchants(pool);
}

async function verify(pool: Pool, { s3Bucket, from, to, ...config }: Config): Promise<Verified> {
  if (s3Bucket === undefined) throw new ConfigError("verify-archive: --s3-bucket is required");
  await readInstallation(pool);
  const store = openStore({ ...config, s3Bucket });
  try {
    return await verifyArchive(pool, store, { from, to });
  } finally {
    store.close();
  }
}

/** A result that says that it is not ok is a failure. */
export function exitCodeOf(result: unknown): number {
  return typeof result === "object" && result !== null && "ok" in result && result.ok === false ? 1 : 0;
}
