import type { EventsColumn, KeyColumn, Statement, TotalsColumn } from "../../store/report/statement.ts";
import { type MetricName, metricOf } from "../metrics/registry.ts";

const QUARTER_HOUR_MS = 900_000;

/**
 * What to run for some metrics over some buckets: each metric from the smallest source that answers it
 * exactly, at most one statement for each shape and source, so that each source is read once.
 *
 * @param edges bucket edges, epoch milliseconds.
 * @param names each at most once.
 */
export function planReport(edges: readonly number[], names: readonly MetricName[]): Statement[] {
  // A row of the aggregate lies in one bucket as a whole only if no edge cuts a quarter hour.
  const aligned = edges.every((edge) => edge % QUARTER_HOUR_MS === 0);
  const totals: TotalsColumn[] = [];
  const events: EventsColumn[] = [];
  const keys: KeyColumn[] = [];
  for (const name of names) {
    const metric = metricOf(name);
    if (metric.kind === "distinct") keys.push({ name, key: metric.key });
    else if (aligned && metric.totals15m !== undefined) {
      totals.push({ name, events: metric.events, totals15m: metric.totals15m });
    } else events.push({ name, events: metric.events });
  }
  const statements: Statement[] = [
    { shape: "additive", source: "totals_15m", columns: totals },
    { shape: "additive", source: "events", columns: events },
    { shape: "distinct", source: "events", columns: keys },
  ];
  return statements.filter((statement) => statement.columns.length > 0);
}
