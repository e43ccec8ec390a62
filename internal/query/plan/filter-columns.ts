import { behaviorsOf, type Filter, testsOf } from "../question/filter.ts";
import { ITEM_COLUMNS } from "./columns.ts";

/** Columns of rows that a filter reads, those by which behaviors find their subjects included. */
export function columnsOf(filter: Filter): Set<string> {
  const subjects = behaviorsOf(filter).map(({ subject }) => `${subject}_id`);
  return new Set([...testsOf(filter).flatMap(({ field }) => field.columns), ...subjects]);
}

/** Columns that the filters within behaviors read, of their own events. */
export function columnsOfBehaviors(filter: Filter): Set<string> {
  const inner = behaviorsOf(filter).flatMap(({ event }) => testsOf(event));
  return new Set(inner.flatMap(({ field }) => field.columns));
}

/** Whether a column is one of items. */
export function isOfItems(columns: readonly string[]): boolean {
  return columns.some((column) => ITEM_COLUMNS.has(column));
}

/**
 * Parts of a filter that hold together where it holds: `inner` has the conjuncts that read such columns alone and no
 * behavior, `outer` the others. Undefined: everything passes that part.
 */
export function splitFilter(
  filter: Filter,
  isInner: (column: string) => boolean,
): { readonly inner: Filter | undefined; readonly outer: Filter | undefined } {
  const parts = Object.groupBy(conjunctsOf(filter), (part) =>
    behaviorsOf(part).length === 0 && [...columnsOf(part)].every(isInner) ? "inner" : "outer",
  );
  return { inner: together(parts.inner), outer: together(parts.outer) };
}

function conjunctsOf(filter: Filter): Filter[] {
  return filter.kind === "all" ? filter.of.flatMap(conjunctsOf) : [filter];
}

function together(parts: readonly Filter[] | undefined): Filter | undefined {
  if (parts === undefined) return undefined;
  return parts.length === 1 ? parts[0] : { kind: "all", of: parts };
}
