import { setTimeout as sleep } from "node:timers/promises";
import { Backoff } from "../lifecycle/backoff.ts";
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

/** First and longest pause after a refresh that failed. */
const BACKOFF = { firstMs: 100, longestMs: 10_000 };

/**
 * Refreshes the continuous aggregates after commits, those of other processes too, until the signal is aborted:
 * one refresh at a time, and a last one at the end, unless another process may have taken over. A span whose refresh
 * fails is set apart, and tried again with growing pauses, while all others go on: what is stale stays written down.
 */
export async function keepRefreshing(given: RefresherDeps, signal: AbortSignal): Promise<void> {
  const deps = { ...given, apart: setApart(given) };
  const backoff = new Backoff(BACKOFF);
  let daysDue = performance.now();
  let weeksDue = daysDue;
  while (!signal.aborted) {
    const started = performance.now();
    const isDaysDue = started >= daysDue;
    const isWeeksDue = started >= weeksDue;
    const done =
      (await refresh(deps, signal)) &&
      (!isDaysDue || (await refreshDays(deps, signal))) &&
      (!isWeeksDue || (await refreshWeeks(deps, signal)));
    deps.metrics.refreshSetApart.set(deps.apart.size);
    if (isDaysDue) daysDue = performance.now() + DAYS_PAUSE_MS;
    if (isWeeksDue && done) weeksDue = performance.now() + WEEKS_PAUSE_MS;
    if (done) backoff.reset();
    const rest = done ? restOf(deps, performance.now() - started) : backoff.next();
    await sleep(rest, undefined, { signal }).catch(() => {});
  }
  const lost: EndReason = "lost";
  if (signal.reason !== lost) await refresh(deps, AbortSignal.timeout(LAST_MS));
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

async function refresh({ pool, metrics, log, apart }: Deps, signal: AbortSignal): Promise<boolean> {
  const done = metrics.refresh.startTimer();
  return attempt(log, async () => {
    if ((await refreshStale(pool, signal, apart)) > 0) done();
  });
}

function refreshDays({ pool, log, apart }: Deps, signal: AbortSignal): Promise<boolean> {
  return attempt(log, async () => {
    await refreshStaleDays(pool, signal, apart);
    await refreshStaleMonths(pool, signal, apart);
  });
}

function refreshWeeks({ pool, log, apart }: Deps, signal: AbortSignal): Promise<boolean> {
  return attempt(log, () => refreshStaleSpans(pool, signal, apart));
}

async function attempt(log: Logger, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    log.warn({ err: error }, "refresh failed, will be tried again");
    return false;
  }
}
