import Table from "cli-table3";

/** A table with lines around its cells. @param textColumns how many columns are texts; the others are numbers. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns: number,
): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (index < textColumns ? "left" : "right")),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
