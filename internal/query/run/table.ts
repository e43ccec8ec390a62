import type { Plan } from "../plan/plan.ts";
import type { Column, Table, Values } from "../question/answer.ts";
import type { BaseMetric, Metric } from "../schema/field.ts";
import { factorOf } from "../schema/metrics.ts";

/** What the statement answers of a number: counts and sums as bigint, all else as a number; null: none. */
export type Numeric = bigint | number | null;

/** A row of the statement, without is_total, place and total_rows. */
export interface ResultRow {
  /** By groupNames. */
  readonly values: readonly (string | number | boolean | null)[];
  /** Of each base, all of the first span first. */
  readonly numbers: readonly Numeric[];
}

/** The table of some rows. @param names the columns of the rows' values. */
export function tableOf(
  { question, bases }: Plan,
  names: readonly string[],
  rows: readonly ResultRow[],
): Table {
  const dimensions = question.dimensions.map((dimension, index): Column => {
    const at = names.indexOf(dimension.type === "bucket" ? "bucket" : `d${index}`);
    const values = rows.map((row) => row.values[at]!);
    return { name: dimension.name, span: 0, ...dimensionValues(dimension.type, values) };
  });
  const metrics = question.spans.flatMap((_, span) =>
    question.metrics.map((metric): Column => {
      const numberOf = (row: ResultRow, base: BaseMetric) =>
        row.numbers[span * bases.length + bases.findIndex(({ name }) => name === base.name)]!;
      return { name: metric.name, span, ...metricValues(metric, rows, numberOf) };
    }),
  );
  const rest = names.indexOf("is_rest");
  const restRows = rest === -1 ? [] : rows.flatMap((row, at) => (row.values[rest] === true ? [at] : []));
  return { rows: rows.length, columns: [...dimensions, ...metrics], restRows };
}

function dimensionValues(type: "text" | "number" | "bucket", values: readonly unknown[]): Values {
  if (type === "bucket") return { kind: "bucket", values: values as number[] };
  if (type === "text") return { kind: "text", values: values as (string | null)[] };
  return { kind: "number", values: values.map((value) => (value === null ? Number.NaN : Number(value))) };
}

function metricValues(
  metric: Metric,
  rows: readonly ResultRow[],
  numberOf: (row: ResultRow, base: BaseMetric) => Numeric,
): Values {
  if (metric.kind === "ratio") {
    return { kind: "number", values: rows.map((row) => ratioOf(metric, (base) => numberOf(row, base))) };
  }
  const numbers = rows.map((row) => numberOf(row, metric));
  const factor = factorOf(metric);
  if (factor === 1 && numbers.every((value) => typeof value === "bigint")) {
    return { kind: metric.unit === "currency" ? "money" : "integer", values: numbers };
  }
  return {
    kind: "number",
    values: numbers.map((value) => (value === null ? Number.NaN : Number(value) * factor)),
  };
}

function ratioOf(metric: Extract<Metric, { kind: "ratio" }>, of: (base: BaseMetric) => Numeric): number {
  const denominator = Number(of(metric.denominator));
  if (denominator === 0) return Number.NaN;
  const quotient = (Number(of(metric.numerator)) * metric.factor) / denominator;
  return metric.complement ? 1 - quotient : quotient;
}
