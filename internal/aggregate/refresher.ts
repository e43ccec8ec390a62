import { setTimeout as sleep } from "node:timers/promises";
import { withRetry } from "../lifecycle/retry.ts";
import type { Pool } from "../store/pool.ts";
import { refreshStale } from "../store/refresh.ts";
import { refreshStaleDays } from "../store/refresh-days.ts";
import { refreshStaleMonths } from "../store/refresh-months.ts";
import { refreshStaleSpans } from "../store/refresh-spans.ts";
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
}

/** Pause between two refreshes of days, ms: late events for a day that is over are gathered for so long. */
const DAYS_PAUSE_MS = 60_000;

/** Pause between two refreshes of weeks, ms: each works a whole week of days over. */
const WEEKS_PAUSE_MS = 3_600_000;

/** The last refresh, at a stop, ends at the first span behind this time, ms: another process goes on with the rest. */
const LAST_MS = 1_000;

/** Pauses after a refresh that failed. */
const AGAIN = { firstMs: 100, longestMs: 10_000 };

/**
 * Refreshes the continuous aggregates after commits, those of other processes too, until the signal is aborted:
 * one refresh at a time, and a last one at the end, unless another process may have taken over. A span whose refresh
 * fails is set apart, and tried again with growing pauses, while all others go on: what is stale stays written down.
 */
export async function keepRefreshing(given: RefresherDeps, signal: AbortSignal): Promise<void> {
  const deps = { ...given, apart: setApart(given) };
  const onFailed = (err: unknown) => deps.log.warn({ err }, "refresh failed, will be tried again");
  let daysDue = performance.now();
  let weeksDue = daysDue;
  const round = async () => {
    const started = performance.now();
    await refresh(deps, signal);
    if (started >= daysDue) {
      // Also where it fails: the quarter hours do not wait for it.
      daysDue = started + DAYS_PAUSE_MS;
      await refreshStaleDays(deps.pool, signal, deps.apart);
      await refreshStaleMonths(deps.pool, signal, deps.apart);
    }
    if (started >= weeksDue) {
      await refreshStaleSpans(deps.pool, signal, deps.apart);
      weeksDue = performance.now() + WEEKS_PAUSE_MS;
    }
    return performance.now() - started;
  };
  while (!signal.aborted) {
    const tookMs = await withRetry(round, { ...AGAIN, signal, onFailed }).catch(() => 0);
    deps.metrics.refreshSetApart.set(deps.apart.size);
    await sleep(restOf(deps, tookMs), undefined, { signal }).catch(() => {});
  }
  const lost: EndReason = "lost";
  if (signal.reason !== lost) await refresh(deps, AbortSignal.timeout(LAST_MS)).catch(onFailed);
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
}

function restOf({ intervalMs, lags }: RefresherDeps, tookMs: number): number {
  return Math.max(intervalMs, restAfter(tookMs, lags.longest()));
}

async function refresh({ pool, metrics, apart }: Deps, signal: AbortSignal): Promise<void> {
  const done = metrics.refresh.startTimer();
  if ((await refreshStale(pool, signal, apart)) > 0) done();
}
