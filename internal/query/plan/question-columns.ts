import type { Question } from "../question/question.ts";
import type { BaseMetric } from "../schema/field.ts";
import { columnsOf as columnsOfFilter } from "./filter-columns.ts";

/** The columns that the question's dimensions and filter read. */
export function columnsOfQuestion({ dimensions, filter }: Question): Set<string> {
  const ofDimensions = dimensions.filter(({ type }) => type !== "bucket").flatMap(({ columns }) => columns);
  return new Set([...ofDimensions, ...(filter === undefined ? [] : columnsOfFilter(filter))]);
}

/** The columns of whole sessions and visitors, and of rows, that a metric reads. */
export function columnsOfMetric(metric: BaseMetric): readonly string[] {
  switch (metric.kind) {
    case "session_sum":
      return metric.measure.columns;
    case "distinct":
      return [...(metric.where?.columns ?? []), ...(metric.where?.whole?.columns ?? [])];
    default:
      return metric.columns;
  }
}
