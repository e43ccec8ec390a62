import type { Column, Counts, Table } from "../question/answer.ts";
import type { Question } from "../question/question.ts";

/** So many pages are read at once, and kept for those who turn them. */
const PAGES = 10;

/**
 * Most values of a message, and of what is read at once. JSON of so many takes 5 ms to write, 10 before that is compiled:
 * nothing else is answered meanwhile.
 */
export const MOST_VALUES = 20_000;

/** So many characters of a text count as a value. */
const VALUE_CHARACTERS = 10;

/** Rows [offset, offset + limit) of a question's. */
export interface Rows {
  readonly offset: number;
  readonly limit: number;
}

/** What tells how many columns an answer has. */
export type Width = Pick<Question, "dimensions" | "metrics" | "spans">;

/** Most rows that are read at once; 408 of the widest question. */
export function mostRows({ dimensions, metrics, spans }: Width): number {
  return Math.floor(MOST_VALUES / (dimensions.length + metrics.length * spans.length));
}

/** The rows that are read for a page: those of pages beside it too, always the same ones. @param most rows to read. */
export function rowsAround({ offset, limit }: Rows, most: number): Rows {
  const rows = Math.max(limit, Math.min(limit * PAGES, most - (most % limit)));
  return { offset: offset - (offset % rows), limit: rows };
}

/** A page of an answer. @param page within the rows that were read for it, which begin at `from`. */
export function pageWithin(counts: Counts, from: number, { offset, limit }: Rows): Counts {
  const start = offset - from;
  return { ...counts, table: slice(counts.table, start, start + limit) };
}

/**
 * How many rows of each table go into one message, so that writing it holds nobody up: of what is too much for all of
 * them together each has the same part. One row at least, where there are any.
 * @param sizes of the tables, as sizesOf has them.
 */
export function fittingRows(sizes: readonly (readonly number[])[]): number[] {
  const fitting = sizes.map(({ length }) => length);
  const smallestFirst = [...sizes.entries()].sort(([, a], [, b]) => (a.at(-1) ?? 0) - (b.at(-1) ?? 0));
  let left = MOST_VALUES;
  for (const [at, [table, upTo]] of smallestFirst.entries()) {
    const share = left / (sizes.length - at);
    const beyond = upTo.findIndex((size) => size > share);
    if (beyond !== -1) fitting[table] = Math.max(1, beyond);
    left -= upTo[fitting[table]! - 1] ?? 0;
  }
  return fitting;
}

/** For each row of a table how many values it has together with all before it: a text has them where it comes first. */
export function sizesOf({ rows, columns }: Table): number[] {
  const sizes = new Array<number>(rows).fill(0);
  for (const column of columns) {
    const isPair = column.kind === "money" || column.kind === "bucket";
    const each = (isPair ? 2 : 1) + (column.standardErrors === undefined ? 0 : 1);
    for (let row = 0; row < rows; row++) sizes[row]! += each;
    if (column.kind === "text") addTexts(sizes, column.values);
  }
  for (let row = 1; row < rows; row++) sizes[row]! += sizes[row - 1]!;
  return sizes;
}

function addTexts(sizes: number[], texts: readonly (string | null)[]): void {
  const known = new Set<string | null>([null]);
  for (const [row, text] of texts.entries()) {
    if (known.has(text)) continue;
    known.add(text);
    sizes[row]! += Math.floor(text!.length / VALUE_CHARACTERS);
  }
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
