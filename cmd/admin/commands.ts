import type { admin } from "../../internal/config/programs/admin.ts";
import { ConfigError } from "../../internal/config/read-config.ts";
import type { ConfigOf } from "../../internal/config/setting.ts";
import {
  type CreatedMerchant,
  createMerchant,
  listMerchants,
  type Merchant,
} from "../../internal/store/merchants.ts";
import { migrate, readInstallation } from "../../internal/store/migrate.ts";
import type { Pool } from "../../internal/store/pool.ts";
import { connectNats } from "../../internal/stream/connect.ts";
import { overviewStreams, type StreamOverview } from "../../internal/stream/overview.ts";
import { streamLimits } from "../../internal/stream/stream-settings.ts";

type Config = ConfigOf<typeof admin.settings>;
type Command = (pool: Pool, config: Config) => Promise<unknown>;

/** The commands by name; each returns what is printed, as one JSON line. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["migrate", async (pool, { partitions }) => ({ applied: await migrate(pool, partitions) })],
  ["create-merchant", create],
  ["list-merchants", list],
  ["streams", streams],
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

async function streams(pool: Pool, config: Config): Promise<readonly StreamOverview[]> {
  const { partitions } = await readInstallation(pool);
  const nats = await connectNats(config.natsUrl, "admin", 10_000);
  try {
    return await overviewStreams(nats, { partitions, limits: streamLimits(config), apply: config.apply });
  } finally {
    await nats.close();
  }
}
