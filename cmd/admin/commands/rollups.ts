import { ConfigError } from "../../../internal/config/read-config.ts";
import { partitionOf } from "../../../internal/event/partition.ts";
import { Failure } from "../../../internal/failure/failure.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import { backfillRollups } from "../../../internal/store/rollups-backfill.ts";
import type { Config } from "./command.ts";

/** Gives a merchant rollups from a day of the past on; what it waits for is told on standard error. */
export async function rollups(pool: Pool, { merchant: merchantId, from }: Config) {
  if (merchantId === 0) throw new ConfigError("rollups: --merchant is required");
  if (from === undefined) throw new ConfigError("rollups: --from is required");
  const { partitions } = await readInstallation(pool);
  const backfill = { merchantId, partition: partitionOf(merchantId, partitions), from: Date.parse(from) };
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  try {
    const { marked, readyFrom } = await backfillRollups(pool, backfill, { tell });
    return { merchantId, marked, readyFrom: new Date(readyFrom).toISOString() };
  } catch (error) {
    if (error instanceof Failure) throw new ConfigError(`rollups: ${error.message}`, { cause: error });
    throw error;
  }
}
