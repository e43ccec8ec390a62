import type { EventsColumn, KeyColumn, Statement, TotalsColumn } from "../../store/report/statement.ts";
import type { DistinctMetric } from "../metrics/metric.ts";
import { type MetricName, metricOf } from "../metrics/registry.ts";

const QUARTER_HOUR_MS = 900_000;

/** How distinct counts may be answered. */
export interface Rollups {
  /** From when on reports may use the merchant's rollups, ms since 1970-01-01 UTC, a midnight; undefined: never. */
  readonly readyFrom: number | undefined;
  /** Whether to estimate rather than count: see canEstimate. */
  readonly isEstimate: boolean;
}

/**
 * What to run for some metrics over some buckets: each metric from the smallest source that answers it
 * as asked, at most one statement for each shape and source, so that each source is read once; but one for each
 * estimate. Estimates are only made where `rollups` tells to.
 *
 * @param edges bucket edges, epoch milliseconds.
 * @param names each at most once.
 */
export function planReport(
  edges: readonly number[],
  names: readonly MetricName[],
  rollups: Rollups = { readyFrom: undefined, isEstimate: false },
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
    ...planDistinct(edges, distinct, rollups),
  ];
  return statements.filter((statement) => statement.columns.length > 0);
}

function planDistinct(
  edges: readonly number[],
  metrics: readonly { readonly name: MetricName; readonly metric: DistinctMetric }[],
  { readyFrom, isEstimate }: Rollups,
): Statement[] {
  const columns: KeyColumn[] = metrics.map(({ name, metric }) => ({ name, key: metric.key }));
  if (!hasRollups(edges, readyFrom)) return [{ shape: "distinct", source: "events", columns }];
  if (!isEstimate) return [{ shape: "distinct", source: "sessions_15m", readyFrom, columns }];
  return metrics.map(({ name, metric }) => ({
    shape: "estimate",
    source: "registers",
    readyFrom,
    columns: [{ name, of: metric.registers }],
  }));
}

/** A row of an aggregate lies in one bucket as a whole only if no edge cuts a quarter hour. */
function isAligned(edges: readonly number[]): boolean {
  return edges.every((edge) => edge % QUARTER_HOUR_MS === 0);
}

/** Whether a merchant's rollups can answer for some of the buckets. */
export function hasRollups(edges: readonly number[], readyFrom: number | undefined): readyFrom is number {
  return readyFrom !== undefined && readyFrom < edges.at(-1)! && isAligned(edges);
}

/** Mean length of buckets, ms, from which on most of their time lies inside of UTC months: months cut at the ends. */
const ESTIMATE_BUCKET_MS = 20 * 86_400_000;

/**
 * Whether estimates can be quicker than counts: the registers of months are. Shorter buckets are counted exactly, from
 * the sessions of quarter hours, however many there are.
 */
export function canEstimate(edges: readonly number[], readyFrom: number | undefined): readyFrom is number {
  const mean = (edges.at(-1)! - edges[0]!) / (edges.length - 1);
  return hasRollups(edges, readyFrom) && mean >= ESTIMATE_BUCKET_MS;
}
