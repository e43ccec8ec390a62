import { CONTINUOUS_AGGREGATES, MONTH_AGGREGATES, SPAN_AGGREGATES } from "../continuous-aggregates.ts";
import { forceRefresh } from "../force-refresh.ts";
import type { Pool } from "../pool.ts";
import type { Span } from "../refresh.ts";
import type { Mismatch } from "./verify.ts";

const DAY_MS = 86_400_000;

/**
 * Computes the days of wrong buckets anew from the rows, and then what is built on them, whether TimescaleDB knows of a
 * change or not.
 */
export async function repairAggregates(pool: Pool, wrong: readonly Mismatch[]): Promise<void> {
  for (const { aggregate, from, to } of spansToRepair(wrong)) {
    await forceRefresh(pool, [aggregate], new Date(from).toISOString(), new Date(to).toISOString());
  }
}

interface WrongSpan extends Span {
  readonly aggregate: string;
}

/** In the order of CONTINUOUS_AGGREGATES, each after those that it is built on. */
function spansToRepair(wrong: readonly Mismatch[]): WrongSpan[] {
  const spans = new Map<string, WrongSpan>();
  for (const aggregate of CONTINUOUS_AGGREGATES) {
    const below = belowOf(aggregate);
    for (const { aggregate: name, bucket } of wrong) {
      if (name !== aggregate && !below.includes(name)) continue;
      const span = { aggregate, ...spanOf(aggregate, bucket) };
      spans.set(`${aggregate} ${span.from}`, span);
    }
  }
  return [...spans.values()];
}

/** What an aggregate is summed up from, directly or not. */
function belowOf(aggregate: string): string[] {
  if (MONTH_AGGREGATES.includes(aggregate)) return ["sessions_15m"];
  const span = SPAN_AGGREGATES.find(({ name }) => name === aggregate);
  if (span === undefined) return [];
  const shorter = SPAN_AGGREGATES.filter(({ of, days }) => of === span.of && days < span.days);
  return [span.of, ...shorter.map(({ name }) => name)];
}

/** The time that is computed anew for a bucket: whole buckets of the aggregate, and a whole UTC day of short ones. */
function spanOf(aggregate: string, bucket: number): Span {
  const date = new Date(bucket);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (MONTH_AGGREGATES.includes(aggregate))
    return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
  const days = SPAN_AGGREGATES.find(({ name }) => name === aggregate)?.days ?? 1;
  // As TimescaleDB counts spans of days: from Monday, 2000-01-03.
  const origin = Date.UTC(2000, 0, 3);
  const from = origin + Math.floor((bucket - origin) / (days * DAY_MS)) * days * DAY_MS;
  return { from, to: from + days * DAY_MS };
}
