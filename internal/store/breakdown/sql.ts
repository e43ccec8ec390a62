import { expression, fill, list, peopleOnly } from "../report/sql.ts";
import { sqlFile } from "../sql-file.ts";
import type { Part } from "./cover.ts";
import {
  type BreakdownColumn,
  type DayAggregate,
  isKey,
  type KeyColumn,
  type RowSource,
  type SumColumn,
} from "./query.ts";

const read = (name: string) => sqlFile(`./${name}.sql`, import.meta.url);

const ALL_COUNTS = read("all_counts");
const SUMS = read("sums");
const PART_ROWS = read("part_rows");
const PART_DAY = read("part_day");
const KEYS = read("keys");
const ROWS = {
  events: read("rows_events"),
  first_page_view: read("rows_sessions"),
  last_page_view: read("rows_sessions"),
  items: read("rows_items"),
} as const satisfies Record<RowSource["rows"], string>;

export const COVERAGE = read("coverage");

/** What each statement breaks down. Its expressions may bring no rows of their own: TypeError otherwise. */
export interface Broken {
  readonly source: RowSource;
  readonly includeBots?: boolean | undefined;
}

/** all_counts.sql: every column in one statement over rows. @throws TypeError without columns. */
export function allCountsSql(broken: Broken, columns: readonly BreakdownColumn[]): string {
  needsColumn(columns);
  const count = (column: BreakdownColumn) =>
    isKey(column) ? `count(DISTINCT ${expression(column.key)})` : sumOver(column);
  return fill(ALL_COUNTS, { rows: rowsSql(broken, "$3", "$4"), counts: list(columns, count) });
}

/**
 * sums.sql over parts: one arm for each.
 * @param aggregate answers the parts of days; all columns must have cells then.
 */
export function sumsSql(
  broken: Broken,
  columns: readonly SumColumn[],
  parts: readonly Part[],
  aggregate: DayAggregate | undefined,
): string {
  needsColumn(columns);
  const arms = parts.map((part, index) => {
    const bounds = { from: `$${2 * index + 3}::timestamptz`, to: `$${2 * index + 4}::timestamptz` };
    return part.source === "day" && aggregate !== undefined
      ? dayArm(broken, columns, aggregate, bounds)
      : rowsArm(broken, columns, part.sign, bounds);
  });
  const sums = list(columns, (_, name) => `sum(${name})::bigint`);
  const totals = list(columns, (_, name) => `coalesce(sum(${name}), 0)::bigint`);
  return fill(SUMS, { parts: arms.join("  UNION ALL\n"), sums, totals });
}

/** keys.sql. */
export function keysSql(broken: Broken, columns: readonly KeyColumn[]): string {
  needsColumn(columns);
  return fill(KEYS, {
    rows: rowsSql(broken, "$4", "$5"),
    keys: list(columns, (column) => expression(column.key)),
    counts: list(columns, (_, name) => `count(DISTINCT ${name})`),
  });
}

interface Bounds {
  readonly from: string;
  readonly to: string;
}

function rowsArm(broken: Broken, columns: readonly SumColumn[], sign: 1 | -1, bounds: Bounds): string {
  const minus = sign === -1 ? "- " : "";
  return fill(PART_ROWS, {
    sign: minus,
    sums: list(columns, (column) => minus + sumOver(column)),
    rows: rowsSql(broken, bounds.from, bounds.to),
  });
}

function dayArm(
  broken: Broken,
  columns: readonly SumColumn[],
  aggregate: DayAggregate,
  bounds: Bounds,
): string {
  return fill(PART_DAY, {
    ...bounds,
    value: expression(aggregate.value),
    table: aggregate.table,
    cells: list(columns, ({ cell }) => `coalesce(${expression(cell!)}, 0)`),
    people: peopleOnly(broken.includeBots),
  });
}

function rowsSql({ source, includeBots }: Broken, from: string, to: string): string {
  return fill(ROWS[source.rows], {
    from,
    to,
    value: expression(source.value),
    people: peopleOnly(includeBots),
    direction: source.rows === "last_page_view" ? "DESC" : "ASC",
  });
}

function sumOver(column: SumColumn): string {
  return `coalesce(${expression(column.rows)}, 0)::bigint`;
}

function needsColumn(columns: readonly unknown[]): void {
  if (columns.length === 0) throw new TypeError("a breakdown needs a column");
}
