import type { Column, MetricColumns, Report, Rows } from "../report.ts";
import { footer } from "./footer.ts";
import { textTable } from "./text-table.ts";
import { changeText, errorText, type Manner, mannerOf, printable, short, textOf } from "./value.ts";

/** A report as a table: its rows and their totals, or without dimensions a line for each metric. */
export function reportTable(report: Report): string {
  const manner = mannerOf(report);
  const table = report.rows.dimensions.length === 0 ? byMetrics(report, manner) : byRows(report, manner);
  return [table, ...footer(report, manner)].join("\n");
}

const COMPARED = ["before", "change"];

function byMetrics({ rows: { metrics }, periods }: Report, manner: Manner): string {
  const head = ["metric", "value", ...(periods.length > 1 ? COMPARED : [])];
  const lines = metrics.map((metric) => [printable(metric.now.name), ...numbers(metric, 0, manner)]);
  return textTable(head, lines, 1);
}

function byRows({ rows, totals }: Report, manner: Manner): string {
  const { dimensions, metrics } = rows;
  const head = [
    ...dimensions.map(({ name }) => printable(name)),
    ...metrics.flatMap(({ now, before }) => [printable(now.name), ...(before === undefined ? [] : COMPARED)]),
  ];
  const lines = Array.from({ length: rows.count }, (_, row) => [
    ...valuesOf(rows, row, manner),
    ...metrics.flatMap((metric) => numbers(metric, row, manner)),
  ]);
  const total = [
    ...dimensions.map((_, index) => (index === 0 ? "total" : "")),
    ...totals.metrics.flatMap((metric) => numbers(metric, 0, manner)),
  ];
  return textTable(head, [...lines, total], dimensions.length);
}

/** The dimensions of a row as people read them. */
export function valuesOf({ dimensions, rest }: Rows, row: number, manner: Manner): string[] {
  return dimensions.map(({ cells, unit }) => {
    const cell = cells[row]!;
    if (cell.kind === "none") return rest.has(row) ? "(all others)" : "(none)";
    return short(textOf(cell, unit, manner));
  });
}

function numbers(metric: MetricColumns, row: number, manner: Manner): string[] {
  const { now, before } = metric;
  const shown = ({ cells, unit, standardErrors }: Column) =>
    `${textOf(cells[row]!, unit, manner)}${errorText(standardErrors[row])}`;
  return before === undefined ? [shown(now)] : [shown(now), shown(before), changeText(metric, row)];
}
