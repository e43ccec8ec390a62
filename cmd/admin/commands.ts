import { readFile } from "node:fs/promises";
import type { admin } from "../../internal/config/programs/admin.ts";
import { ConfigError } from "../../internal/config/read-config.ts";
import type { ConfigOf } from "../../internal/config/setting.ts";
import { saveRates } from "../../internal/store/currency-rates.ts";
import { tableSizes } from "../../internal/store/maintenance/sizes.ts";
import {
  type Mismatch,
  repairAggregates,
  verifiableDays,
  verifyAggregates,
} from "../../internal/store/maintenance/verify.ts";
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
import { readRates } from "./read-rates.ts";

const DAY_MS = 86_400_000;

type Config = ConfigOf<typeof admin.settings>;
type Command = (pool: Pool, config: Config) => Promise<unknown>;

/** The commands by name; each returns what is printed, as one JSON line. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["migrate", async (pool, { partitions }) => ({ applied: await migrate(pool, partitions) })],
  ["create-merchant", create],
  ["list-merchants", list],
  ["load-rates", loadRates],
  ["storage", storage],
  ["verify", verify],
  ["streams", streams],
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

/** What each hypertable takes, and what an event takes in all of them together. */
async function storage(pool: Pool) {
  await readInstallation(pool);
  const tables = await tableSizes(pool);
  const events = tables.find(({ table }) => table === "events")?.rows ?? 0;
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  return { tables, events, bytes, bytesPerEvent: events === 0 ? 0 : Number((bytes / events).toFixed(1)) };
}

/** Compares the continuous aggregates with the rows, and computes anew what differs if told to. */
async function verify(pool: Pool, { from, to, repair }: Config) {
  await readInstallation(pool);
  const days = await verifiableDays(pool, from, to);
  const mismatches: Mismatch[] = [];
  for (const day of days) mismatches.push(...(await verifyAggregates(pool, { from: day, to: day + DAY_MS })));
  if (repair) await repairAggregates(pool, mismatches);
  const repaired = repair ? mismatches.length : 0;
  return { days: days.length, mismatches, repaired, isAlarm: repaired < mismatches.length };
}

/** The streams, and how they differ from what is promised; changed if told to. */
async function streams(pool: Pool, config: Config): Promise<readonly StreamOverview[]> {
  const { partitions } = await readInstallation(pool);
  const nats = await connectNats(config.natsUrl, "admin", 10_000);
  try {
    return await overviewStreams(nats, { partitions, limits: streamLimits(config), apply: config.apply });
  } finally {
    await nats.close();
  }
}
