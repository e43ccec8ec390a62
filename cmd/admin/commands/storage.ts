import { repairAggregates } from "../../../internal/store/maintenance/repair.ts";
import { tableSizes } from "../../../internal/store/maintenance/sizes.ts";
import {
  type Mismatch,
  verifiableDays,
  verifyAggregates,
} from "../../../internal/store/maintenance/verify.ts";
import { readInstallation } from "../../../internal/store/migrate.ts";
import type { Pool } from "../../../internal/store/pool.ts";
import type { Config } from "./command.ts";

const DAY_MS = 86_400_000;

/** What each hypertable takes, and what an event takes in all of them together. */
export async function storage(pool: Pool) {
  await readInstallation(pool);
  const tables = await tableSizes(pool);
  const events = tables.find(({ table }) => table === "events")?.rows ?? 0;
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  return { tables, events, bytes, bytesPerEvent: events === 0 ? 0 : Number((bytes / events).toFixed(1)) };
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
