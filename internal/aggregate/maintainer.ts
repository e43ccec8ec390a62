import { setTimeout as sleep } from "node:timers/promises";
import { convertOld } from "../store/maintenance/columnstore.ts";
import { expire } from "../store/maintenance/retention.ts";
import type { Pool } from "../store/pool.ts";
import { addLargeMerchants } from "../store/rollups.ts";
import type { Logger } from "../telemetry/logger.ts";

export interface MaintainerDeps {
  /** A connection of its own: a conversion may take minutes. */
  readonly pool: Pool;
  readonly log: Logger;
  /** Pause between two rounds, ms. */
  readonly intervalMs: number;
  /** Age at which a chunk goes to the columnstore, days after its end; 0: never. */
  readonly columnstoreAfterDays: number;
  /** Events on a UTC day from which on a merchant is given rollups; 0: never. */
  readonly rollupEventsPerDay: number;
}

const DAY_MS = 86_400_000;

/** The first round waits for this long at most, ms: an aggregator that takes over has more urgent things to do. */
const FIRST_MS = 60_000;

/**
 * Forgets what is older than its merchant's retention, converts old chunks to the columnstore and gives rollups to
 * merchants that have become large, again and again until the signal is aborted. Each of these that fails is tried again at
 * the next round, and keeps none of the others from its work; what was done stays done.
 */
export async function keepMaintaining(deps: MaintainerDeps, signal: AbortSignal): Promise<void> {
  const { log, intervalMs } = deps;
  for (let pause = Math.min(FIRST_MS, intervalMs); ; pause = intervalMs) {
    await sleep(pause, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    for (const part of PARTS) {
      if (signal.aborted) return;
      try {
        await part(deps, Date.now());
      } catch (err) {
        if (!signal.aborted) log.warn({ err, part: part.name }, "maintenance failed, will be tried again");
      }
    }
  }
}

/** What a round does, as of a time (ms since 1970-01-01 UTC), in this order. */
const PARTS = [forget, addRollups, convert] as const;

async function forget({ pool, log }: MaintainerDeps, now: number): Promise<void> {
  const expired = await expire(pool, now);
  if (expired.chunks + expired.rows + expired.visitors > 0) log.info(expired, "expired");
}

async function addRollups({ pool, log, rollupEventsPerDay }: MaintainerDeps, now: number): Promise<void> {
  if (rollupEventsPerDay === 0) return;
  const merchants = await addLargeMerchants(pool, now, rollupEventsPerDay);
  if (merchants > 0) log.info({ merchants }, "merchants are given rollups from the next day on");
}

async function convert({ pool, log, columnstoreAfterDays }: MaintainerDeps, now: number): Promise<void> {
  if (columnstoreAfterDays === 0) return;
  const converted = await convertOld(pool, now - columnstoreAfterDays * DAY_MS);
  if (converted > 0) log.info({ chunks: converted }, "converted to the columnstore");
}
