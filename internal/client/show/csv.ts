import type { Cell, Column, Report } from "../report.ts";
import { type Manner, mannerOf } from "./value.ts";

/** Spreadsheets take a text for a formula that begins so. */
const FORMULA = /^[=+\-@\t\r]/;

/** A column of a file: its head, and the field of each row. */
interface Fields {
  readonly head: string;
  readonly at: (row: number) => string;
}

/**
 * A report as CSV of RFC 4180, a line for each row. Texts that spreadsheets would run as formulas get a ' before them
 * (OWASP, "CSV Injection"). Numbers are whole and without signs of their unit: ratios are 0 to 1, durations in seconds.
 */
export function reportCsv(report: Report): string {
  const { rows } = report;
  const manner = mannerOf(report);
  const fields = [
    ...rows.dimensions.flatMap((column) => dimensionFields(column, manner)),
    ...(rows.rest.size === 0 ? [] : [{ head: "is_rest", at: (row: number) => String(rows.rest.has(row)) }]),
    ...rows.metrics.flatMap(({ now, before }) => [
      ...metricFields(now, now.name),
      ...(before === undefined ? [] : metricFields(before, `${before.name}:before`)),
    ]),
  ];
  const lines = Array.from({ length: rows.count }, (_, row) => fields.map(({ at }) => at(row)));
  return csv([fields.map(({ head }) => escapeFormula(head)), ...lines]);
}

/** @param records texts, safe as they are. */
export function csv(records: readonly (readonly string[])[]): string {
  const field = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return records.map((record) => `${record.map(field).join(",")}\r\n`).join("");
}

export function escapeFormula(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

function dimensionFields({ name, cells }: Column, { time, granularity }: Manner): Fields[] {
  const at = (row: number) => {
    const cell = cells[row]!;
    return cell.kind === "time" ? time.iso(cell.startMs, granularity) : plain(cell);
  };
  if (cells[0]?.kind !== "time") return [{ head: name, at }];
  const isPartial = (row: number) => {
    const cell = cells[row]!;
    return String(cell.kind === "time" && cell.isPartial);
  };
  return [
    { head: name, at },
    { head: `${name}:is_partial`, at: isPartial },
  ];
}

function metricFields({ cells, standardErrors }: Column, head: string): Fields[] {
  const value = { head, at: (row: number) => plain(cells[row]!) };
  if (standardErrors.length === 0) return [value];
  return [value, { head: `${head}:standard_error`, at: (row) => String(standardErrors[row]) }];
}

/** A value without signs of its unit; "" for none. */
function plain(cell: Cell): string {
  switch (cell.kind) {
    case "text":
      return escapeFormula(cell.text);
    case "integer":
    case "number":
      return String(cell.value);
    case "money":
      return cell.amount;
    default:
      return "";
  }
}
