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
