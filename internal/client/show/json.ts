import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Cell, Column, MetricColumns, Report, Rows } from "../report.ts";
import { type Manner, mannerOf } from "./value.ts";

type Json = string | number | boolean | null;

/**
 * A report as one JSON object with a list of rows. Amounts are texts of decimal digits, and whole numbers that a double
 * cannot hold are texts too; no value is null.
 */
export function reportJson(report: Report): string {
  const [totals] = listOf(report.totals, mannerOf(report));
  return jsonWith(report, { totals, total_size: report.totalSize });
}

/** The same of a funnel: its totals are a list of steps. */
export function funnelJson(report: Report): string {
  return jsonWith(report, { totals: listOf(report.totals, mannerOf(report)) });
}

function listOf(rows: Rows, manner: Manner) {
  return Array.from({ length: rows.count }, (_, row) => rowOf(rows, row, manner));
}

function jsonWith(report: Report, more: object): string {
  const { rows, periods, info } = report;
  return JSON.stringify({
    rows: listOf(rows, mannerOf(report)),
    ...more,
    time_zone: info.timeZone,
    currency: info.currency,
    periods: periods.map(({ startMs, endMs }) => ({
      start_time: new Date(startMs).toISOString(),
      end_time: new Date(endMs).toISOString(),
    })),
    data_through_time: info.dataThroughTime && timestampDate(info.dataThroughTime).toISOString(),
    notices: info.notices.map(({ message }) => message),
  });
}

function rowOf(rows: Rows, row: number, manner: Manner) {
  const { dimensions, metrics, rest } = rows;
  const times = dimensions.map(({ cells }) => cells[row]!);
  const of = (pick: (metric: MetricColumns) => Column | undefined) =>
    Object.fromEntries(
      metrics.flatMap((metric) => {
        const column = pick(metric);
        return column === undefined ? [] : [[column.name, jsonOf(column.cells[row]!, manner)]];
      }),
    );
  const errorsOf = (pick: (metric: MetricColumns) => Column | undefined) =>
    Object.fromEntries(
      metrics.flatMap((metric) => {
        const column = pick(metric);
        const error = column?.standardErrors[row] ?? 0;
        return column === undefined || error === 0 ? [] : [[column.name, error]];
      }),
    );
  const now = (metric: MetricColumns) => metric.now;
  const before = (metric: MetricColumns) => metric.before;
  return {
    ...Object.fromEntries(dimensions.map(({ name, cells }) => [name, jsonOf(cells[row]!, manner)])),
    ...of(now),
    ...given("before", of(before)),
    ...given("standard_errors", errorsOf(now)),
    ...given("standard_errors_before", errorsOf(before)),
    ...(times.some((cell) => cell.kind === "time" && cell.isPartial) && { is_partial: true }),
    ...(rest.has(row) && { is_rest: true }),
  };
}

function given(name: string, values: Record<string, Json>): Record<string, Record<string, Json>> {
  return Object.keys(values).length === 0 ? {} : { [name]: values };
}

function jsonOf(cell: Cell, { time, granularity }: Manner): Json {
  switch (cell.kind) {
    case "none":
      return null;
    case "text":
      return cell.text;
    case "number":
      return cell.value;
    case "integer":
      return Number.isSafeInteger(Number(cell.value)) ? Number(cell.value) : String(cell.value);
    case "money":
      return cell.amount;
    case "time":
      return time.iso(cell.startMs, granularity);
  }
}
