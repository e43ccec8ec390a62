import type { Column, Counts, Table } from "../question/answer.ts";

/** So many pages are read at once, and kept for those who turn them; but no more rows than so many. */
const PAGES = 10;
const MOST_ROWS = 10_000;

/** Rows [offset, offset + limit) of a question's. */
export interface Rows {
  readonly offset: number;
  readonly limit: number;
}

/** The rows that are read for a page: those of pages beside it too, always the same ones. */
export function rowsAround({ offset, limit }: Rows): Rows {
  const most = Math.max(limit, Math.min(limit * PAGES, MOST_ROWS - (MOST_ROWS % limit)));
  return { offset: offset - (offset % most), limit: most };
}

/** A page of an answer. @param page within the rows that were read for it, which begin at `from`. */
export function pageWithin(counts: Counts, from: number, { offset, limit }: Rows): Counts {
  const start = offset - from;
  return { ...counts, table: slice(counts.table, start, start + limit) };
}

function slice(table: Table, start: number, end: number): Table {
  if (start === 0 && table.rows <= end) return table;
  return {
    rows: Math.max(0, Math.min(end, table.rows) - start),
    columns: table.columns.map((column) => sliceColumn(column, start, end)),
    restRows: table.restRows.filter((row) => row >= start && row < end).map((row) => row - start),
  };
}

function sliceColumn(column: Column, start: number, end: number): Column {
  const values = column.values.slice(start, end);
  return { ...column, values, standardErrors: column.standardErrors?.slice(start, end) } as Column;
}
