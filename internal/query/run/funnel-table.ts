import type { Factor } from "../plan/sample.ts";
import type { Column, Table } from "../question/answer.ts";
import type { FunnelQuestion } from "../question/funnel.ts";
import { bucketsByPosition, positionCount } from "../question/question.ts";
import { type StepNumbers, type StepRead, stepNumbers } from "./funnel-numbers.ts";

/** The steps of a funnel: of a value and a position of entry, or of all. */
export interface FunnelRow {
  readonly isTotal: boolean;
  readonly span: number;
  /** Of the value, from 1 on; 0 without a breakdown. */
  readonly place: number;
  readonly value: string | number | null;
  /** Of the bucket of entry; 0 without time. */
  readonly position: number;
  readonly steps: readonly StepRead[];
}

/** What a row of the answer is of. */
interface Cell {
  readonly place: number;
  readonly value: string | number | null;
  readonly position: number;
}

/** Names and units of the columns of steps, in their order. */
export const FUNNEL_METRICS = {
  visitors: "count",
  conversion_rate: "ratio",
  step_conversion_rate: "ratio",
  drop_offs: "count",
  revenue: "currency",
  median_time: "seconds",
  p90_time: "seconds",
} as const;

/** The tables of a funnel: by value, bucket and step, and over all of these by step. */
export function funnelTables(
  question: FunnelQuestion,
  rows: readonly FunnelRow[],
  factor: Factor | undefined,
): { table: Table; totals: Table } {
  const known = new Map(rows.map((row) => [keyOf(row), row]));
  const tableOf = (cells: readonly Cell[], isTotal: boolean): Table => {
    const columns = [
      ...(isTotal ? [] : keyColumns(question, cells)),
      repeated(
        "step",
        cells.flatMap(() => question.steps.map((_, at) => BigInt(at + 1))),
      ),
      ...question.spans.flatMap((_, span) => {
        const read = cells.map((cell) => known.get(keyOf({ ...cell, span, isTotal }))?.steps);
        return numberColumns(
          read.flatMap((steps) => stepNumbers(question, steps, factor)),
          span,
        );
      }),
    ];
    return { rows: cells.length * question.steps.length, columns, restRows: [] };
  };
  const total = { place: 0, value: null, position: 0 };
  const isWhole = question.breakdown === undefined && question.spans[0].edges === undefined;
  const totals = tableOf([total], true);
  return { totals, table: isWhole ? totals : tableOf(cellsOf(question, rows), false) };
}

/** Every value in every position, in their order. */
function cellsOf(question: FunnelQuestion, rows: readonly FunnelRow[]): Cell[] {
  const values = new Map(rows.filter(({ isTotal }) => !isTotal).map(({ place, value }) => [place, value]));
  if (question.breakdown === undefined) values.set(0, null);
  const positions = Math.max(1, positionCount(question.spans));
  return [...values]
    .sort(([one], [other]) => one - other)
    .flatMap(([place, value]) =>
      Array.from({ length: positions }, (_, position) => ({ place, value, position })),
    );
}

function keyOf({
  isTotal,
  span,
  place,
  position,
}: Pick<FunnelRow, "isTotal" | "span" | "place" | "position">): string {
  return [isTotal, span, place, position].join(" ");
}

function keyColumns({ breakdown, spans, steps }: FunnelQuestion, cells: readonly Cell[]): Column[] {
  const each = <T>(of: (cell: Cell) => T) => cells.flatMap((cell) => steps.map(() => of(cell)));
  const columns: Column[] = [];
  if (breakdown !== undefined) {
    const values = each(({ value }) => value);
    columns.push(
      breakdown.type === "number"
        ? {
            name: breakdown.name,
            span: 0,
            kind: "number",
            values: values.map((value) => (value === null ? Number.NaN : Number(value))),
          }
        : { name: breakdown.name, span: 0, kind: "text", values: values as (string | null)[] },
    );
  }
  for (const [at, span] of spans.entries()) {
    if (span.edges === undefined) continue;
    const buckets = bucketsByPosition(span, positionCount(spans));
    columns.push({
      name: "time",
      span: at,
      kind: "bucket",
      values: each(({ position }) => buckets[position]!),
    });
  }
  return columns;
}

function repeated(name: string, values: readonly bigint[]): Column {
  return { name, span: 0, kind: "integer", values };
}

function numberColumns(steps: readonly StepNumbers[], span: number): Column[] {
  const errorsOf = (name: keyof typeof FUNNEL_METRICS) => {
    const errors = steps.flatMap(({ errors }) => errors?.[name] ?? []);
    return errors.length === 0 ? undefined : errors;
  };
  return (Object.keys(FUNNEL_METRICS) as (keyof typeof FUNNEL_METRICS)[]).map((name): Column => {
    const common = { name, span, standardErrors: errorsOf(name) };
    switch (name) {
      case "visitors":
      case "drop_offs":
        return { ...common, kind: "integer", values: steps.map((step) => step[name]) };
      case "revenue":
        return { ...common, kind: "money", values: steps.map((step) => step.revenue) };
      default:
        return { ...common, kind: "number", values: steps.map((step) => step[name]) };
    }
  });
}
