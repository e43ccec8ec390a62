import type { Freshness } from "../freshness.ts";
import type { Scope } from "../report/scope.ts";
import type { UnitName } from "./cover.ts";
import type { Factor } from "./sample.ts";

/** A sum by value, and the name under which it is returned. */
export interface SumColumn {
  readonly name: string;
  /** SQL aggregate over the rows that are broken down. Null stands for 0. */
  readonly rows: string;
  /** SQL value over one row of a rollup, to be summed; undefined: only rows answer. */
  readonly cell?: string | undefined;
}

/** A count of different keys by value. */
export interface KeyColumn {
  readonly name: string;
  /** SQL value over one of the rows that are broken down, and of a rollup's visits. Null keys are not counted. */
  readonly key: string;
}

/** What is counted: sums over rows, or different keys. */
export type BreakdownColumn = SumColumn | KeyColumn;

export function isKey(column: BreakdownColumn): column is KeyColumn {
  return "key" in column;
}

/**
 * Which rows are broken down, and by what. `value` is a SQL text value over one row.
 * events: a merchant's events, each by its own value. first_page_view, last_page_view, visit_source: its events, each by
 * the value of that page view of its session, or of what brought the visitor: the session's first event that has a
 * channel. items: the items of its orders.
 */
export interface RowSource {
  readonly rows: "events" | "first_page_view" | "last_page_view" | "visit_source" | "items";
  readonly value: string;
}

/** Continuous aggregates of the same sums over different spans of time, and their column of a dimension's values. */
export interface Rollup {
  readonly tables: Readonly<Partial<Record<UnitName, string>>>;
  readonly value: string;
  /**
   * The aggregate that has a row for all events of a session's UTC day with the same values, and so answers keys too.
   * Undefined: only rows do.
   */
  readonly visits?: string | undefined;
  /** Whether the samples of visitors (sample.ts) have the column `value` too, so that keys can be estimated. */
  readonly isSampled?: boolean | undefined;
}

export interface BreakdownQuery extends Scope {
  /** The partition that the merchant lives in. */
  readonly partitionId: number;
  /** Epoch milliseconds, [start, end), of years with four digits. */
  readonly start: number;
  readonly end: number;
  readonly source: RowSource;
  /** What answers over whole UTC days or more as `source` does; undefined: nothing. */
  readonly rollup?: Rollup | undefined;
  /** What is counted; one or more. The first one orders the values. */
  readonly columns: readonly BreakdownColumn[];
  /** Most values to answer. */
  readonly limit: number;
  /** Whether bots' events count. Default: people's alone. */
  readonly includeBots?: boolean | undefined;
  /** Keys are estimated from this sample of the visitors; only where canSample says so. Default: they are counted. */
  readonly factor?: Factor | undefined;
}

/** Standard errors of estimated counts, relative to them; 0: exact. */
export interface StandardErrors {
  /** The i-th number is that of values[i]. */
  readonly values: readonly number[];
  readonly total: number;
}

export interface BreakdownData extends Freshness {
  /** By the first column, largest first; null stands for the rows without a value. */
  readonly values: readonly (string | null)[];
  /** One list for each column: the i-th number belongs to values[i]. */
  readonly counts: readonly (readonly bigint[])[];
  /** Over all rows of the span, by column. */
  readonly totals: readonly bigint[];
  /** One for each column; undefined: it was counted. */
  readonly standardErrors: readonly (StandardErrors | undefined)[];
  readonly valuesFound: bigint;
}
