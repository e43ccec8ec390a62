import { setTimeout as sleep } from "node:timers/promises";
import { partitionOf } from "../event/partition.ts";
import { convertOld, isLoaded } from "../store/maintenance/columnstore.ts";
import { expire } from "../store/maintenance/retention.ts";
import type { Pool } from "../store/pool.ts";
import { readRollupsWanted } from "../store/rollups.ts";
import { backfillRollups } from "../store/rollups-backfill.ts";
import type { Logger } from "../telemetry/logger.ts";

export interface MaintainerDeps {
  /** A connection of its own: a conversion may take minutes. */
  readonly pool: Pool;
  readonly log: Logger;
  /** Pause between two rounds, ms. */
  readonly intervalMs: number;
  /** Pause between two looks at what is due before its round, ms. Default: a minute. */
  readonly lookMs?: number;
  /** Age at which a chunk goes to the columnstore, days after its end; 0: never. */
  readonly columnstoreAfterDays: number;
  /** How many there are in the installation. */
  readonly partitions: number;
}

const DAY_MS = 86_400_000;

/** The first round waits for this long at most, ms: an aggregator that takes over has more urgent things to do. */
const FIRST_MS = 60_000;

/** Rollups of one merchant are given up for this look after so long, ms: the next goes on, and others have their turn. */
const BACKFILL_MS = 15 * 60_000;

interface Part {
  readonly name: string;
  /** Whether it should not wait for its round, as of a time (ms since 1970-01-01 UTC). */
  readonly isDue: (deps: MaintainerDeps, now: number) => Promise<boolean>;
  readonly run: (deps: MaintainerDeps, now: number, signal: AbortSignal) => Promise<void>;
}

/** In this order: rows that are marked for rollups are better not in the columnstore yet. */
const PARTS: readonly Part[] = [
  { name: "retention", isDue: async () => false, run: forget },
  { name: "rollups", isDue: async ({ pool }) => (await readRollupsWanted(pool)).size > 0, run: fillRollups },
  { name: "columnstore", isDue: isLoadOver, run: convert },
];

/**
 * Forgets what is older than its merchant's retention, gives rollups to merchants that have become large or have imported
 * much history, and converts old chunks to the columnstore, again and again until the signal is aborted; after a large
 * load the latter two at the next look. Each of these that fails is tried again, and keeps none of the others from its
 * work; what was done stays done.
 */
export async function keepMaintaining(deps: MaintainerDeps, signal: AbortSignal): Promise<void> {
  const { intervalMs, lookMs = FIRST_MS } = deps;
  let next = performance.now() + Math.min(FIRST_MS, intervalMs);
  for (;;) {
    const rest = Math.max(0, next - performance.now());
    await sleep(Math.min(rest, lookMs), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const isRound = performance.now() >= next;
    if (isRound) next = performance.now() + intervalMs;
    for (const part of PARTS) await maintain(part, isRound, deps, signal);
  }
}

async function maintain(
  part: Part,
  isRound: boolean,
  deps: MaintainerDeps,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  try {
    const now = Date.now();
    if (isRound || (await part.isDue(deps, now))) await part.run(deps, now, signal);
  } catch (err) {
    if (!signal.aborted) deps.log.warn({ err, part: part.name }, "maintenance failed, will be tried again");
  }
}

async function forget({ pool, log }: MaintainerDeps, now: number): Promise<void> {
  const expired = await expire(pool, now);
  if (expired.chunks + expired.rows + expired.visitors > 0) log.info(expired, "expired");
}

async function fillRollups(
  { pool, log, partitions }: MaintainerDeps,
  _now: number,
  signal: AbortSignal,
): Promise<void> {
  for (const [merchantId, from] of await readRollupsWanted(pool)) {
    const backfill = { merchantId, partition: partitionOf(merchantId, partitions), from };
    const tell = (line: string) => log.debug({ merchantId }, line);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(BACKFILL_MS)]);
    const { marked } = await backfillRollups(pool, backfill, { tell, signal: limit });
    log.info({ merchantId, from: new Date(from).toISOString(), marked }, "a merchant has rollups");
  }
}

async function isLoadOver({ pool, columnstoreAfterDays }: MaintainerDeps, now: number): Promise<boolean> {
  return columnstoreAfterDays > 0 && isLoaded(pool, now - columnstoreAfterDays * DAY_MS);
}

async function convert({ pool, log, columnstoreAfterDays }: MaintainerDeps, now: number): Promise<void> {
  if (columnstoreAfterDays === 0) return;
  const converted = await convertOld(pool, now - columnstoreAfterDays * DAY_MS);
  if (converted > 0) log.info({ chunks: converted }, "converted to the columnstore");
}
