import { expression, fill, list, peopleOnly } from "../report/sql.ts";
import { sqlFile } from "../sql-file.ts";
import type { Part } from "./cover.ts";
import { type BreakdownColumn, isKey, type Rollup, type RowSource, type SumColumn } from "./query.ts";

const read = (name: string) => sqlFile(`./${name}.sql`, import.meta.url);

const ALL_COUNTS = read("all_counts");
const SUMS = read("sums");
const PART_ROWS = read("part_rows");
const PART_CELLS = read("part_cells");
const PART_EVENTS = read("part_events");
const PART_VISITS = read("part_visits");
const ROWS = {
  events: read("rows_events"),
  first_page_view: read("rows_sessions"),
  last_page_view: read("rows_sessions"),
  items: read("rows_items"),
} as const satisfies Record<Exclude<RowSource["rows"], "visit_source">, string>;

/** What each statement breaks down. Its expressions may bring no rows of their own: TypeError otherwise. */
export interface Broken {
  readonly source: RowSource;
  readonly includeBots?: boolean | undefined;
}

/**
 * all_counts.sql over parts: one arm for each.
 * @param rollup its visits answer the parts that are not of rows; all sums must have cells then.
 * @throws TypeError without columns, and for a part that is taken away: keys cannot be.
 */
export function allCountsSql(
  broken: Broken,
  columns: readonly BreakdownColumn[],
  parts: readonly Part[],
  rollup?: Rollup,
): string {
  const arms = parts.map(({ source, sign }, index) => {
    if (sign === -1) throw new TypeError("different keys cannot be taken away");
    const bounds = boundsOf(index);
    if (source === "rows") return eventsArm(broken, columns, bounds);
    return visitsArm(broken, columns, { ...bounds, table: rollup!.visits!, value: rollup!.value });
  });
  return countsSql(columns, arms.join("  UNION ALL\n"));
}

/**
 * all_counts.sql over a query's rows, which have a value, and the columns' keys and sums under their names, c0 and on.
 * @throws TypeError without columns.
 */
export function countsSql(columns: readonly BreakdownColumn[], rows: string): string {
  needsColumn(columns);
  const count = (column: BreakdownColumn, name: string) =>
    isKey(column) ? `count(DISTINCT ${name})` : `coalesce(sum(${name}), 0)`;
  return fill(ALL_COUNTS, { rows, counts: list(columns, count) });
}

/** The columns' keys and cells, of a row of visits. */
export function visitColumns(columns: readonly BreakdownColumn[]): string {
  return list(columns, (column) =>
    isKey(column) ? expression(column.key) : `coalesce(${expression(column.cell!)}, 0)`,
  );
}

/** The columns' keys and sums over rows, and the names of the keys, to be grouped by. */
export function rowColumns(columns: readonly BreakdownColumn[]): { columns: string; keys: string } {
  return {
    columns: list(columns, (column) => (isKey(column) ? expression(column.key) : sumOver(column))),
    keys: columns.map((column, index) => (isKey(column) ? `, c${index}` : "")).join(""),
  };
}

/**
 * sums.sql over parts: one arm for each.
 * @param rollup answers the parts that are not of rows; all columns must have cells then.
 */
export function sumsSql(
  broken: Broken,
  columns: readonly SumColumn[],
  parts: readonly Part[],
  rollup: Rollup | undefined,
): string {
  needsColumn(columns);
  const sums = list(columns, (_, name) => `sum(${name})`);
  const totals = list(columns, (_, name) => `coalesce(sum(${name}), 0)`);
  const names = columns.map((_, index) => `c${index}`).join(", ");
  return fill(SUMS, { parts: sumArms(broken, columns, parts, rollup), sums, totals, columns: names });
}

/** The columns' sums, c0 and on, by value and part: each value may come more than once. */
export function sumArms(
  broken: Broken,
  columns: readonly SumColumn[],
  parts: readonly Part[],
  rollup: Rollup | undefined,
): string {
  const arms = parts.map((part, index) => {
    const bounds = boundsOf(index);
    const minus = part.sign === -1 ? "- " : "";
    if (part.source === "rows") return rowsArm(broken, columns, minus, bounds);
    return cellsArm(broken, columns, minus, { ...bounds, ...rollup!, table: rollup!.tables[part.source]! });
  });
  return arms.join("  UNION ALL\n");
}

export interface Bounds {
  readonly from: string;
  readonly to: string;
}

/** The parameters of the part at an index. */
export function boundsOf(index: number): Bounds {
  return { from: `$${2 * index + 3}::timestamptz`, to: `$${2 * index + 4}::timestamptz` };
}

function rowsArm(broken: Broken, columns: readonly SumColumn[], sign: string, bounds: Bounds): string {
  return fill(PART_ROWS, {
    sign,
    sums: list(columns, (column) => sign + sumOver(column)),
    rows: rowsSql(broken, bounds.from, bounds.to),
  });
}

function eventsArm(broken: Broken, columns: readonly BreakdownColumn[], bounds: Bounds): string {
  return fill(PART_EVENTS, {
    names: columns.map((_, index) => `c${index}`).join(", "),
    ...rowColumns(columns),
    rows: rowsSql(broken, bounds.from, bounds.to),
  });
}

function visitsArm(broken: Broken, columns: readonly BreakdownColumn[], cells: Cells): string {
  return fill(PART_VISITS, {
    ...cells,
    value: expression(cells.value),
    columns: visitColumns(columns),
    people: peopleOnly(broken.includeBots),
  });
}

interface Cells extends Bounds {
  readonly table: string;
  readonly value: string;
}

function cellsArm(broken: Broken, columns: readonly SumColumn[], sign: string, cells: Cells): string {
  return fill(PART_CELLS, {
    ...cells,
    sign,
    value: expression(cells.value),
    cells: list(columns, ({ cell }) => `${sign}coalesce(${expression(cell!)}, 0)`),
    people: peopleOnly(broken.includeBots),
  });
}

function rowsSql({ source, includeBots }: Broken, from: string, to: string): string {
  const { rows } = source;
  if (rows === "visit_source") throw new TypeError("sources of visits are no rows: sourcesSql counts them");
  return fill(ROWS[rows], {
    from,
    to,
    value: expression(source.value),
    people: peopleOnly(includeBots),
    direction: rows === "last_page_view" ? "DESC" : "ASC",
  });
}

function sumOver(column: SumColumn): string {
  return `coalesce(${expression(column.rows)}, 0)`;
}

function needsColumn(columns: readonly unknown[]): void {
  if (columns.length === 0) throw new TypeError("a breakdown needs a column");
}
