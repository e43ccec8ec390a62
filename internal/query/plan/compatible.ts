import { basesOf, type Dimension, type Metric } from "../schema/field.ts";
import { isOfItems } from "./filter-columns.ts";

/** Most metrics and dimensions of a question. */
export const MOST_METRICS = 20;
export const MOST_DIMENSIONS = 9;

/** A metric that cannot be told apart by a dimension. */
export interface Conflict {
  readonly metric: Metric;
  readonly dimension: Dimension;
  /** A sentence for people. */
  readonly reason: string;
}

/**
 * Why metrics and dimensions do not go together: the first of them that do not, by the order of the metrics. Undefined:
 * they do. What an event's items are cannot tell apart what is counted over events: one event has many.
 */
export function conflictOf(
  metrics: readonly Metric[],
  dimensions: readonly Dimension[],
): Conflict | undefined {
  const dimension = dimensions.find(({ columns }) => isOfItems(columns));
  const metric = dimension && metrics.find((each) => !countsItems(each));
  if (metric === undefined || dimension === undefined) return undefined;
  const reason = `${dimension.name} is of items, which ${metric.name} does not count`;
  return { metric, dimension, reason };
}

/** Why a question cannot have one more field beside those that it has; undefined: it can, or has it. */
export function incompatibilityOf(
  field: Metric | Dimension,
  metrics: readonly Metric[],
  dimensions: readonly Dimension[],
): string | undefined {
  const together =
    field.kind === "dimension"
      ? { metrics, dimensions: withField(dimensions, field) }
      : { metrics: withField(metrics, field), dimensions };
  if (together.metrics.length > MOST_METRICS) return `a question has at most ${MOST_METRICS} metrics`;
  if (together.dimensions.length > MOST_DIMENSIONS)
    return `a question has at most ${MOST_DIMENSIONS} dimensions`;
  return conflictOf(together.metrics, together.dimensions)?.reason;
}

function withField<F extends { readonly name: string }>(fields: readonly F[], field: F): readonly F[] {
  return fields.some(({ name }) => name === field.name) ? fields : [...fields, field];
}

function countsItems(metric: Metric): boolean {
  return basesOf(metric).every(({ relation }) => relation === "items");
}

/** Whether a funnel can be told apart by a dimension: an event has one value of it. */
export function canBreakDown({ groupable, type, isMany, columns }: Dimension): boolean {
  return groupable && type !== "bucket" && isMany !== true && !isOfItems(columns);
}
