import type { EventsColumn, KeyColumn, Statement, TotalsColumn } from "../../store/report/statement.ts";
import type { DistinctMetric } from "../metrics/metric.ts";
import { type MetricName, metricOf } from "../metrics/registry.ts";

const QUARTER_HOUR_MS = 900_000;

/**
 * What to run for some metrics over some buckets: each metric from the smallest source that answers it
 * as asked, at most one statement for each shape and source, so that each source is read once.
 *
 * @param edges bucket edges, epoch milliseconds.
 * @param names each at most once.
 * @param readyFrom from when on the merchant's rollups may be used, ms since 1970-01-01 UTC, a midnight; undefined: never.
 */
export function planReport(
  edges: readonly number[],
  names: readonly MetricName[],
  readyFrom?: number,
): Statement[] {
  const aligned = isAligned(edges);
  const totals: TotalsColumn[] = [];
  const events: EventsColumn[] = [];
  const distinct: { name: MetricName; metric: DistinctMetric }[] = [];
  for (const name of names) {
    const metric = metricOf(name);
    if (metric.kind === "distinct") distinct.push({ name, metric });
    else if (aligned && metric.totals15m !== undefined) {
      totals.push({ name, events: metric.events, totals15m: metric.totals15m });
    } else events.push({ name, events: metric.events });
  }
  const statements: Statement[] = [
    { shape: "additive", source: "totals_15m", columns: totals },
    { shape: "additive", source: "events", columns: events },
    ...planDistinct(edges, distinct, readyFrom),
  ];
  return statements.filter((statement) => statement.columns.length > 0);
}

function planDistinct(
  edges: readonly number[],
  metrics: readonly { readonly name: MetricName; readonly metric: DistinctMetric }[],
  readyFrom: number | undefined,
): Statement[] {
  const columns: KeyColumn[] = metrics.map(({ name, metric }) => ({ name, key: metric.key }));
  if (!hasRollups(edges, readyFrom)) return [{ shape: "distinct", source: "events", columns }];
  return [{ shape: "distinct", source: "sessions_15m", readyFrom, columns }];
}

/** A row of an aggregate lies in one bucket as a whole only if no edge cuts a quarter hour. */
function isAligned(edges: readonly number[]): boolean {
  return edges.every((edge) => edge % QUARTER_HOUR_MS === 0);
}

/** Whether a merchant's rollups can answer for some of the buckets. */
export function hasRollups(edges: readonly number[], readyFrom: number | undefined): readyFrom is number {
  return readyFrom !== undefined && readyFrom < edges.at(-1)! && isAligned(edges);
}
