import { type Plan, placeOf } from "../plan/plan.ts";
import { bounded, isBounded, isOfEstimates } from "../plan/sample.ts";
import type { Column, Table, Values } from "../question/answer.ts";
import { bucketsByPosition, positionCount, type Span } from "../question/question.ts";
import { type BaseMetric, type Dimension, factorOf, type Metric, type RatioMetric } from "../schema/field.ts";
import { EVENTS } from "../schema/metrics/traffic.ts";
import { standardErrorsOf } from "./standard-errors.ts";

/** What the statement answers of a number: counts and sums as bigint, all else as a number; null: none. */
export type Numeric = bigint | number | null;

/** A row of the statement, without is_total, place and total_rows. */
export interface ResultRow {
  /** By groupNames. */
  readonly values: readonly (string | number | boolean | null)[];
  /** Of each base, all of the first span first, then likewise of the plan's products. */
  readonly numbers: readonly Numeric[];
}

/** The table of some rows. @param names the columns of the rows' values. @param totals the row over all rows. */
export function tableOf(
  plan: Plan,
  names: readonly string[],
  rows: readonly ResultRow[],
  totals: ResultRow,
): Table {
  const { dimensions, spans } = plan.question;
  const valuesOf = (dimension: Dimension, index: number, span: number): Column => {
    const at = names.indexOf(dimension.type === "bucket" ? "bucket" : `d${index}`);
    const values = rows.map((row) => row.values[at]!);
    const ofType =
      dimension.type === "bucket"
        ? bucketValues(spans, span, values as number[])
        : dimensionValues(dimension.type, values);
    return { name: dimension.name, span, ...ofType };
  };
  const columns = spans.flatMap((_, span) => [
    ...dimensions.flatMap((dimension, index) =>
      span === 0 || dimension.type === "bucket" ? [valuesOf(dimension, index, span)] : [],
    ),
    ...metricColumns(plan, rows, totals, span),
  ]);
  const rest = names.indexOf("is_rest");
  const restRows = rest === -1 ? [] : rows.flatMap((row, at) => (row.values[rest] === true ? [at] : []));
  return { rows: rows.length, columns, restRows };
}

function metricColumns(plan: Plan, rows: readonly ResultRow[], totals: ResultRow, span: number): Column[] {
  return plan.question.metrics.map((metric): Column => {
    const isRaw = metric.kind === "ratio" && isOfEstimates(plan, metric);
    const numbersOf = (base: BaseMetric) => {
      const at = (of: BaseMetric) => span * plan.bases.length + placeOf(plan, of);
      const number = at(base);
      if (isRaw || !isBounded(plan, base)) return rows.map(({ numbers }) => numbers[number]!);
      const events = at(EVENTS);
      return rows.map(({ numbers }) =>
        BigInt(bounded(Number(numbers[number]), base, Number(numbers[events]))),
      );
    };
    const standardErrors = standardErrorsOf(plan, metric, span, rows, totals);
    return { name: metric.name, span, ...metricValues(metric, numbersOf), standardErrors };
  });
}

/** A span's buckets, of the positions that rows are of. */
function bucketValues(spans: readonly Span[], span: number, positions: readonly number[]): Values {
  const buckets = bucketsByPosition(spans[span]!, positionCount(spans));
  return { kind: "bucket", values: positions.map((position) => buckets[position]!) };
}

function dimensionValues(type: "text" | "number", values: readonly unknown[]): Values {
  if (type === "text") return { kind: "text", values: values as (string | null)[] };
  return { kind: "number", values: values.map((value) => (value === null ? Number.NaN : Number(value))) };
}

function metricValues(metric: Metric, numbersOf: (base: BaseMetric) => readonly Numeric[]): Values {
  if (metric.kind === "ratio") {
    const denominators = numbersOf(metric.denominator);
    const numerators = numbersOf(metric.numerator);
    return { kind: "number", values: numerators.map((one, at) => ratioOf(metric, one, denominators[at]!)) };
  }
  const numbers = numbersOf(metric);
  const factor = factorOf(metric);
  if (factor === 1 && numbers.every((value) => typeof value === "bigint")) {
    return { kind: metric.unit === "currency" ? "money" : "integer", values: numbers };
  }
  return {
    kind: "number",
    values: numbers.map((value) => (value === null ? Number.NaN : Number(value) * factor)),
  };
}

function ratioOf({ factor, complement }: RatioMetric, numerator: Numeric, denominator: Numeric): number {
  if (Number(denominator) === 0) return Number.NaN;
  const quotient = (Number(numerator) * factor) / Number(denominator);
  return complement ? 1 - quotient : quotient;
}
