import type { Answer, Column, Table } from "../question/answer.ts";
import type { Question } from "../question/question.ts";
import type { RightAnswer, Row } from "./naive/evaluate.ts";
import type { MetricValue } from "./naive/metrics.ts";

/** An answer as evaluate() gives it, so that both can be compared by toEqual. */
export function plainAnswer({ table, totals, totalRows }: Answer, question: Question): RightAnswer {
  return {
    rows: rowsOf(table, question),
    totals: metricsAt(totals, question, 0),
    totalRows,
  };
}

function rowsOf(table: Table, question: Question): Row[] {
  const dimensions = table.columns.slice(0, question.dimensions.length);
  const rest = new Set(table.restRows);
  return Array.from({ length: table.rows }, (_, at) => ({
    dimensions: dimensions.map(({ kind, values }) =>
      kind === "bucket" ? positionAt(table, question, at) : dimensionAt(values[at]!),
    ),
    metrics: metricsAt(table, question, at),
    isRest: rest.has(at),
  }));
}

/** The one position that all spans' buckets of a row are in. */
function positionAt({ columns }: Table, { spans }: Question, row: number): number {
  const positions = columns.flatMap(({ kind, values, span }) => {
    const bucket = values[row] as number;
    return kind !== "bucket" || bucket === -1 ? [] : [spans[span]!.positions?.[bucket] ?? bucket];
  });
  if (new Set(positions).size !== 1) throw new TypeError(`row ${row} is of the positions ${positions}`);
  return positions[0]!;
}

function dimensionAt(value: string | number | bigint | null): string | number | null {
  if (typeof value === "bigint") return Number(value);
  return Number.isNaN(value) ? null : value;
}

function metricsAt({ columns }: Table, { metrics, spans }: Question, row: number): MetricValue[][] {
  return spans.map((_, span) =>
    metrics.map(({ name }) => {
      const found = columns.find((column: Column) => column.name === name && column.span === span);
      if (found === undefined) throw new TypeError(`no column ${name} of span ${span}`);
      return roundedValue(found.values[row] as MetricValue);
    }),
  );
}

/** Sums of floats depend on their order in the last digits; whole numbers are compared as they are. */
export function roundedValue(value: MetricValue): MetricValue {
  // Moved a little, so that what lies just between two roundings, as halves and sixteenths do, goes one way.
  return typeof value === "bigint" ? value : Number((value * (1 + 1e-13)).toPrecision(11)) + 0;
}

/** A right answer whose numbers are rounded alike. */
export function roundedAnswer({ rows, totals, totalRows }: RightAnswer): RightAnswer {
  const all = (values: readonly (readonly MetricValue[])[]) => values.map((one) => one.map(roundedValue));
  return { rows: rows.map((row) => ({ ...row, metrics: all(row.metrics) })), totals: all(totals), totalRows };
}
