import { setTimeout as sleep } from "node:timers/promises";
import { withRetry } from "../lifecycle/retry.ts";
import { GRAINS, type Grain, type GrainName, grainOf } from "../store/continuous-aggregates.ts";
import type { Pool } from "../store/pool.ts";
import { refreshGrain } from "../store/refresh.ts";
import { SetApart } from "../store/set-apart.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Lags } from "./lags.ts";
import type { AggregateMetrics } from "./metrics.ts";
import type { EndReason } from "./ownership/works.ts";
import { restAfter } from "./refresh-rest.ts";

export interface RefresherDeps {
  readonly pool: Pool;
  readonly metrics: AggregateMetrics;
  readonly lags: Lags;
  readonly log: Logger;
  /** Shortest pause between two refreshes, ms. */
  readonly intervalMs: number;
  /** So many events on a UTC day and more make a merchant one that is to have rollups; 0: never. */
  readonly rollupEventsPerDay: number;
}

/** A round gives each grain so long, ms, then the others their turn: history that is imported must not hold up the day. */
const BUDGET_MS = 2_000;

/** A grain that has been due for so long, ms, does not wait any more until the shorter ones have caught up. */
const STARVED_MS = 600_000;

/** A grain rests for so many times as long as its refresh took, up to the longest, ms: late events are gathered for so long. */
const GRAIN_REST = 50;
const LONGEST_GRAIN_REST_MS = 3_600_000;

/** The last refresh, at a stop, ends at the first span behind this time, ms: another process goes on with the rest. */
const LAST_MS = 1_000;

/** Pauses after a refresh that failed. */
const AGAIN = { firstMs: 100, longestMs: 10_000 };

/**
 * Refreshes the continuous aggregates after commits, those of other processes too, until the signal is aborted:
 * one refresh at a time, and a last one at the end, unless another process may have taken over. A span whose refresh
 * fails is set apart, and tried again with growing pauses, while all others go on: what is to be done stays written down.
 */
export async function keepRefreshing(given: RefresherDeps, signal: AbortSignal): Promise<void> {
  const deps = { ...given, apart: setApart(given), due: new Map<GrainName, number>() };
  const onFailed = (err: unknown) => deps.log.warn({ err }, "refresh failed, will be tried again");
  const again = { ...AGAIN, signal, onFailed };
  while (!signal.aborted) {
    const rest = await withRetry(() => round(deps, signal), again).catch(() => 0);
    deps.metrics.refreshSetApart.set(deps.apart.size);
    await sleep(rest, undefined, { signal }).catch(() => {});
  }
  const lost: EndReason = "lost";
  if (signal.reason !== lost) {
    await refresh(deps, grainOf("15m"), AbortSignal.timeout(LAST_MS)).catch(onFailed);
  }
  // Another process knows of them from here on.
  deps.metrics.refreshSetApart.set(0);
}

function setApart({ metrics, log }: RefresherDeps): SetApart {
  return new SetApart(({ error: err, ...span }) => {
    metrics.refreshFailures.inc();
    log.error({ err, ...span }, "a span of aggregates cannot be refreshed, reports count it from the rows");
  });
}

interface Deps extends RefresherDeps {
  readonly apart: SetApart;
  /** When a grain is to be refreshed next, of performance.now(). */
  readonly due: Map<GrainName, number>;
}

/** Half of the time where there is more to do; else as refresh-rest.ts says. */
function restOf({ intervalMs, lags }: RefresherDeps, tookMs: number, isDone: boolean): number {
  const rest = restAfter(tookMs, lags.longest());
  return Math.max(intervalMs, isDone ? rest : Math.min(rest, tookMs));
}

/** Shorter grains first; a longer one waits until it is due. @returns how long to rest, ms. */
async function round(deps: Deps, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  let isAllDone = true;
  for (const grain of GRAINS) {
    const started = performance.now();
    const due = deps.due.get(grain.name) ?? began;
    // A longer bucket is worked over once, when all that it is made of is there.
    if (started < due || (!isAllDone && started < due + STARVED_MS)) continue;
    // Also where it fails: the quarter hours do not wait for it.
    if (grain.pauseMs > 0) deps.due.set(grain.name, started + grain.pauseMs);
    const isDone = await refresh(deps, grain, signal);
    isAllDone &&= isDone;
    const rest = Math.min(GRAIN_REST * (performance.now() - started), LONGEST_GRAIN_REST_MS);
    if (grain.pauseMs > 0) deps.due.set(grain.name, started + (isDone ? Math.max(grain.pauseMs, rest) : 0));
  }
  return restOf(deps, performance.now() - began, isAllDone);
}

/** @returns whether all of the grain was refreshed that can be. */
async function refresh(
  { pool, metrics, apart, rollupEventsPerDay }: Deps,
  grain: Grain,
  signal: AbortSignal,
): Promise<boolean> {
  const done = metrics.refresh.startTimer();
  const options = { signal, apart, budgetMs: BUDGET_MS, rollupEventsPerDay };
  const { starts, isDone } = await refreshGrain(pool, grain.name, options);
  if (grain.name === "15m" && starts.length > 0) done();
  return isDone;
}
