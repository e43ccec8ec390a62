import { Failure } from "../../failure/failure.ts";
import type { RunReportRequest } from "../../gen/footfall/query/v1/report_pb.js";
import { conflictOf, MOST_DIMENSIONS, MOST_METRICS } from "../plan/compatible.ts";
import type { Order } from "../question/question.ts";
import { mostRows, type Width } from "../run/pages.ts";
import { TIME } from "../schema/dimensions.ts";
import type { Dimension, Metric } from "../schema/field.ts";
import type { Schema } from "../schema/schema.ts";
import { InvalidField } from "../time/invalid-field.ts";
import { missing, unknown } from "./field-errors.ts";

const MOST_ROWS = 10_000;
const DEFAULT_ROWS = 100;
const MOST_TOP_VALUES = 100;

/** What is asked for, and by what it is told apart. */
export interface ReadFields {
  readonly metrics: readonly Metric[];
  readonly dimensions: readonly Dimension[];
}

type Request = Pick<RunReportRequest, "metrics" | "dimensions">;

/** @throws Failure "invalid" on "metrics" and "dimensions", and their places. */
export function readFields({ metrics, dimensions }: Request, schema: Schema): ReadFields {
  if (metrics.length === 0) throw missing("metrics", `1 to ${MOST_METRICS} names of metrics`);
  return checkTogether({
    metrics: readMetrics(metrics, schema),
    dimensions: readDimensions(dimensions, schema),
  });
}

/** @throws InvalidField on a place of "metrics". */
export function readMetrics(names: readonly string[], schema: Schema): Metric[] {
  checkNames("metrics", names, MOST_METRICS);
  return names.map((name, at) => {
    const metric = schema.metric(name);
    if (metric === undefined) throw unknown(`metrics[${at}]`, name, namesOf(schema.metrics));
    return metric;
  });
}

/** @throws InvalidField on a place of "dimensions". */
export function readDimensions(names: readonly string[], schema: Schema): Dimension[] {
  checkNames("dimensions", names, MOST_DIMENSIONS);
  return names.map((name, at) => {
    const dimension = schema.dimension(name);
    const groupable = schema.dimensions.filter((each) => each.groupable);
    if (dimension?.groupable !== true) throw unknown(`dimensions[${at}]`, name, namesOf(groupable));
    return dimension;
  });
}

function checkTogether(fields: ReadFields): ReadFields {
  const { metrics, dimensions } = fields;
  const conflict = conflictOf(metrics, dimensions);
  if (conflict === undefined) return fields;
  const { metric, dimension, reason } = conflict;
  throw new Failure("invalid", reason, {
    reason: "NOT_COMPATIBLE",
    field: `metrics[${metrics.indexOf(metric)}]`,
    value: metric.name,
    allowed: `metrics that GetMetadata calls compatible with the dimension ${dimension.name}`,
  });
}

function namesOf(fields: readonly { readonly name: string }[]): string[] {
  return fields.map(({ name }) => name);
}

function checkNames(field: string, names: readonly string[], most: number): void {
  if (names.length > most) throw new InvalidField(field, `${names.length} names`, `at most ${most} names`);
  const again = names.findIndex((name, at) => names.indexOf(name) !== at);
  if (again !== -1) throw new InvalidField(`${field}[${again}]`, names[again]!, "named once");
}

/**
 * The order of the rows: as asked for, else by time, else by the first metric, largest first.
 * @throws InvalidField on "order_by" and its fields.
 */
export function readOrder(
  orderBy: RunReportRequest["orderBy"],
  { metrics, dimensions }: ReadFields,
  hasComparison: boolean,
): Order[] {
  if (orderBy.length === 0) return [defaultOrder(dimensions)];
  const asked = orderBy.map(({ field }) => field);
  checkNames("order_by", asked, MOST_METRICS + MOST_DIMENSIONS);
  return orderBy.map(({ field, ascending, byChange }, at) => {
    const path = `order_by[${at}]`;
    const metric = metrics.findIndex(({ name }) => name === field);
    const dimension = dimensions.findIndex(({ name }) => name === field);
    if (metric === -1 && dimension === -1) {
      const names = namesOf([...metrics, ...dimensions]).join(", ");
      throw new InvalidField(`${path}.field`, field, `a metric or dimension of the question: ${names}`);
    }
    if (byChange && (metric === -1 || !hasComparison)) {
      const allowed = "false but for a metric, with a comparison";
      throw new InvalidField(`${path}.by_change`, "true", allowed, "NOT_COMPATIBLE");
    }
    return { by: metric === -1 ? { dimension } : { metric }, ascending, byChange };
  });
}

function defaultOrder(dimensions: readonly Dimension[]): Order {
  const time = dimensions.indexOf(TIME);
  if (time !== -1) return { by: { dimension: time }, ascending: true, byChange: false };
  return { by: { metric: 0 }, ascending: false, byChange: false };
}

/**
 * Most rows of a page: 100 by default, all buckets of `time` alone; fewer where so many would be too much at a time.
 * @throws InvalidField on "page_size".
 */
export function readPageSize(pageSize: number, question: Width): number {
  if (pageSize < 0) throw new InvalidField("page_size", pageSize, "0 or more");
  const { dimensions } = question;
  const standard = dimensions.length === 1 && dimensions[0] === TIME ? MOST_ROWS : DEFAULT_ROWS;
  return Math.min(pageSize || standard, MOST_ROWS, mostRows(question));
}

/** @returns undefined for all values. @throws InvalidField on "top_values". */
export function readTopValues(topValues: number, dimensions: readonly Dimension[]): number | undefined {
  if (topValues === 0) return undefined;
  if (topValues > MOST_TOP_VALUES) throw new InvalidField("top_values", topValues, `1 to ${MOST_TOP_VALUES}`);
  if (dimensions.some((dimension) => dimension !== TIME)) return topValues;
  throw new InvalidField("top_values", topValues, "absent without a dimension beside time", "NOT_COMPATIBLE");
}
