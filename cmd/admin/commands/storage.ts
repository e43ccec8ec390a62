import { chunkDays, setChunkDays } from "../../../internal/store/maintenance/chunk-interval.ts";
import { repairAggregates } from "../../../internal/store/maintenance/repair.ts";
import { chunkSizes, tableSizes } from "../../../internal/store/maintenance/sizes.ts";
import {
  type Mismatch,
  verifiableDays,
  verifyAggregates,
} from "../../../internal/store/maintenance/verify.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import type { Config } from "./command.ts";

const DAY_MS = 86_400_000;

/**
 * What each hypertable and each chunk of raw rows takes, and what an event takes in all of them together. Sets how long
 * new chunks are if told to.
 */
export async function storage(pool: Pool, { chunkDays: days }: Config) {
  await readInstallation(pool);
  if (days > 0) await setChunkDays(pool, days);
  const tables = await tableSizes(pool);
  const events = tables.find(({ table }) => table === "events")?.rows ?? 0;
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const bytesPerEvent = events === 0 ? 0 : Number((bytes / events).toFixed(1));
  const chunks = await chunkSizes(pool);
  return { tables, events, bytes, bytesPerEvent, chunkDays: await chunkDays(pool), chunks };
}

/** Compares the continuous aggregates with the rows, and computes anew what differs if told to. */
export async function verify(pool: Pool, { from, to, repair }: Config) {
  await readInstallation(pool);
  const days = await verifiableDays(pool, from, to);
  const mismatches: Mismatch[] = [];
  for (const day of days) mismatches.push(...(await verifyAggregates(pool, { from: day, to: day + DAY_MS })));
  if (repair) await repairAggregates(pool, mismatches);
  const repaired = repair ? mismatches.length : 0;
  return { ok: repaired === mismatches.length, days: days.length, mismatches, repaired };
}
