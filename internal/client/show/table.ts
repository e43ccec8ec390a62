import { table } from "../../program/table.ts";
import type { Column, MetricColumns, Report, Rows } from "../report.ts";
import { footer } from "./footer.ts";
import { abbreviate, cellText, changeText, errorText, type Manner, mannerOf, printable } from "./value.ts";

/** A report as a table, with what is to be known of its numbers below. */
export function reportTable(report: Report): string {
  return [rowsTable(report), ...footer(report, mannerOf(report))].join("\n");
}

/** The rows of a report and their totals, or without dimensions a line for each metric. */
export function rowsTable(report: Report): string {
  const manner = mannerOf(report);
  return report.rows.dimensions.length === 0 ? byMetrics(report, manner) : byRows(report, manner);
}

const COMPARED = ["before", "change"];

function byMetrics({ rows: { metrics }, periods }: Report, manner: Manner): string {
  const head = ["metric", "value", ...(periods.length > 1 ? COMPARED : [])];
  const lines = metrics.map((metric) => [printable(metric.now.name), ...numbers(metric, 0, manner)]);
  return table(head, lines, 1);
}

function byRows({ rows, totals }: Report, manner: Manner): string {
  const total = [
    ...rows.dimensions.map((_, index) => (index === 0 ? "total" : "")),
    ...totals.metrics.flatMap((metric) => numbers(metric, 0, manner)),
  ];
  return table(headOf(rows), [...linesOf(rows, manner), total], rows.dimensions.length);
}

/** A funnel as tables, with what is to be known of its numbers below: where it is told apart, its parts come first. */
export function funnelTable(report: Report): string {
  const manner = mannerOf(report);
  const parts = report.rows.dimensions.length > 1 ? [stepsOf(report.rows, manner)] : [];
  return [...parts, stepsTable(report), ...footer(report, manner)].join("\n");
}

/** The steps of a funnel over all that tells it apart. */
export function stepsTable(report: Report): string {
  return stepsOf(report.totals, mannerOf(report));
}

function stepsOf(rows: Rows, manner: Manner): string {
  return table(headOf(rows), linesOf(rows, manner), rows.dimensions.length);
}

function headOf({ dimensions, metrics }: Rows): string[] {
  return [
    ...dimensions.map(({ name }) => printable(name)),
    ...metrics.flatMap(({ now, before }) => [printable(now.name), ...(before === undefined ? [] : COMPARED)]),
  ];
}

function linesOf(rows: Rows, manner: Manner): string[][] {
  return Array.from({ length: rows.count }, (_, row) => [
    ...dimensionTexts(rows, row, manner),
    ...rows.metrics.flatMap((metric) => numbers(metric, row, manner)),
  ]);
}

/** The dimensions of a row as people read them. */
export function dimensionTexts({ dimensions, rest }: Rows, row: number, manner: Manner): string[] {
  return dimensions.map(({ cells, unit }) => {
    const cell = cells[row]!;
    if (cell.kind === "none") return rest.has(row) ? "(all others)" : "(none)";
    return abbreviate(cellText(cell, unit, manner));
  });
}

function numbers(metric: MetricColumns, row: number, manner: Manner): string[] {
  const { now, before } = metric;
  const shown = ({ cells, unit, standardErrors }: Column) =>
    `${cellText(cells[row]!, unit, manner)}${errorText(standardErrors[row])}`;
  return before === undefined ? [shown(now)] : [shown(now), shown(before), changeText(metric, row)];
}
