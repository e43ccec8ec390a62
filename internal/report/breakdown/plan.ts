import type { BreakdownColumn, BreakdownQuery } from "../../store/breakdown/query.ts";
import { type DimensionName, dimensionOf } from "../dimensions/registry.ts";
import { InvalidInput } from "../errors.ts";
import type { Unit } from "../metrics/metric.ts";
import { METRICS, metricOf, SERIES_NAMES, type SeriesName } from "../metrics/registry.ts";
import { firstRepeated } from "../repeated.ts";
import { ITEM_METRIC_NAMES, ITEM_METRICS, type ItemMetricName, isItemMetric } from "./item-metrics.ts";

/** A metric that a breakdown may ask for. */
export type BreakdownMetric = SeriesName | ItemMetricName;

/** What is read for a breakdown, and the metrics that its columns are, in the order asked for. */
export interface BreakdownPlan extends Pick<BreakdownQuery, "source" | "rollup" | "columns"> {
  readonly names: readonly BreakdownMetric[];
}

/**
 * What to read for some metrics by a dimension: which rows, and the rollup that answers for whole days of them, if there
 * is one.
 *
 * @param asked each at most once; none: all that the dimension has.
 * @throws InvalidInput on "metrics" for one named twice, or that the dimension's rows do not have.
 */
export function planBreakdown(
  dimension: DimensionName,
  asked: readonly BreakdownMetric[] | undefined,
): BreakdownPlan {
  const { value, rows = "events", rollup } = dimensionOf(dimension);
  const names = metricsOf(dimension, rows === "items", asked);
  return { names, source: { rows, value }, rollup, columns: names.map(columnOf) };
}

export function unitOf(name: BreakdownMetric): Unit {
  return isItemMetric(name) ? ITEM_METRICS[name].unit : METRICS[name].unit;
}

function metricsOf(
  dimension: DimensionName,
  ofItems: boolean,
  asked: readonly BreakdownMetric[] = [],
): readonly BreakdownMetric[] {
  if (asked.length === 0) return ofItems ? ITEM_METRIC_NAMES : SERIES_NAMES;
  const twice = firstRepeated(asked);
  if (twice !== undefined) throw new InvalidInput("metrics", twice, "is asked for twice");
  const foreign = asked.find((name) => isItemMetric(name) !== ofItems);
  if (foreign !== undefined) {
    const has = ofItems ? `has ${ITEM_METRIC_NAMES.join(" and ")} only` : "has no metrics of items";
    throw new InvalidInput("metrics", foreign, `is not a metric of the dimension ${dimension}, which ${has}`);
  }
  return asked;
}

function columnOf(name: BreakdownMetric): BreakdownColumn {
  if (isItemMetric(name)) return { name, rows: ITEM_METRICS[name].rows };
  const metric = metricOf(name);
  if (metric.kind === "distinct") return { name, key: metric.key };
  // Rollups have their sums under the names that totals_15m has.
  return { name, rows: metric.events, cell: metric.totals15m };
}
