import {
  AGGREGATES,
  bucketStart,
  CONTINUOUS_AGGREGATES,
  grainOf,
  grainOfAggregate,
} from "../continuous-aggregates.ts";
import { forceRefresh } from "../force-refresh.ts";
import type { Pool } from "../pool.ts";
import type { Span } from "../refresh.ts";
import type { Mismatch } from "./verify.ts";

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
  const { of } = AGGREGATES.find(({ name }) => name === aggregate)!;
  return of === "events" ? [] : [of, ...belowOf(of)];
}

/** The time that is computed anew for a bucket: whole buckets of the aggregate, and a whole UTC day of short ones. */
function spanOf(aggregate: string, bucket: number): Span {
  const { ms } = grainOfAggregate(aggregate);
  const length = Math.max(ms, grainOf("1d").ms);
  const from = bucketStart({ ms: length }, bucket);
  return { from, to: from + length };
}
