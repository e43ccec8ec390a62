import Table from "cli-table3";

/** A value of a table: numbers stand at the right, with their thousands apart; what is an id comes as text. */
export type Cell = string | number | bigint | boolean | Date | null | undefined;

const PLAIN = { style: { head: [], border: [], compact: true } };

/** Rows under a head, for people. @param numbersFrom column from which on all are numbers, though they come as texts. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  numbersFrom = Number.POSITIVE_INFINITY,
): string {
  const isNumber = (_: string, column: number) =>
    column >= numbersFrom ||
    (rows.length > 0 && rows.every((row) => /^(number|bigint)$/.test(typeof row[column])));
  const shown = new Table({
    ...PLAIN,
    head: [...head],
    colAligns: head.map((name, column) => (isNumber(name, column) ? "right" : "left")),
  });
  shown.push(...rows.map((row) => row.map(cellText)));
  return shown.toString();
}

/** The fields of one thing, a line each. */
export function fieldsTable(fields: Readonly<Record<string, Cell>>): string {
  const shown = new Table(PLAIN);
  shown.push(...Object.entries(fields).map(([name, value]) => [name, cellText(value)]));
  return shown.toString();
}

function cellText(value: Cell): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number" || typeof value === "bigint") return value.toLocaleString("en");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (value instanceof Date) return value.toISOString().replace(/\.\d+Z$/, "Z");
  // Texts of senders may hold what moves a terminal's cursor.
  return value.replace(/\p{Cc}/gu, "\ufffd");
}
