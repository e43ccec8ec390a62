import { setChunkDays } from "../../internal/store/maintenance/chunk-interval.ts";
import type { Pool } from "../../internal/store/pool.ts";
import type { Database } from "../lib/database.ts";
import type { Group } from "./history/group.ts";
import { load, shopHistory } from "./load.ts";
import { createMerchants } from "./merchants.ts";
import { aggregateBytes, bookBytes, bytesPerEvent, columnBytes } from "./sizes.ts";
import { Upkeep } from "./upkeep.ts";
import type { Asked } from "./workload.ts";

type Say = (text: string) => void;

/**
 * Loads the events; what that took, and what it left to be said of a million of them.
 * @param groups default: shops' history.
 */
export async function loadAll(
  database: Database,
  work: Asked,
  say: Say,
  groups: AsyncIterable<Group> = shopHistory(work),
) {
  const { pool } = database;
  await setChunkDays(pool, work.chunkDays);
  await createMerchants(pool, work.merchants);
  const upkeep = new Upkeep(database, work.chunkDays);
  const start = performance.now();
  const loaded = await load(pool, { groups, events: work.events }, upkeep, say).finally(() => upkeep.close());
  const loadSeconds = (performance.now() - start) / 1_000;
  await pool.query("VACUUM ANALYZE");
  const perMillion = (spent: number) => Number(((spent / loaded) * 1e6).toFixed(2));
  const refresh = Object.entries(upkeep.refreshSeconds).map(([name, spent]) => [name, perMillion(spent)]);
  return said(say, {
    loaded,
    load_events_per_second: Math.round(loaded / loadSeconds),
    load_memory_mb: Math.round(process.resourceUsage().maxRSS / 1_024),
    upkeep_rounds: upkeep.rounds,
    refresh_seconds_per_million: Object.fromEntries(refresh),
    convert_seconds_per_million: perMillion(upkeep.convertSeconds),
    upkeep_seconds_are: upkeep.isCpu ? "CPU" : "of the clock",
  });
}

/** What stored events take. */
export async function weigh(pool: Pool, events: number, say: Say) {
  return said(say, {
    bytes_per_event: await bytesPerEvent(pool, events),
    book_bytes_per_event: await bookBytes(pool, events),
    column_bytes_per_event: await columnBytes(pool),
    aggregates: await aggregateBytes(pool, events),
  });
}

function said<T extends Record<string, unknown>>(say: Say, costs: T): T {
  for (const [name, cost] of Object.entries(costs)) say(`${name}: ${JSON.stringify(cost)}`);
  return costs;
}
