import type { Sql } from "sql-template-tag";
import type { RowContext } from "../schema/field.ts";
import type { WhoSql } from "./persons.ts";

/** What a filter's SQL needs to know of the statement that it stands in. */
export interface FilterContext extends RowContext {
  readonly merchantId: number;
  /** Condition on rows of events, such as "NOT is_bot"; "true" for all. */
  readonly traffic: Sql;
  /** Where the span ends that the row is in; a timestamptz, as spanStart is. */
  readonly spanEnd: Sql;
  /** Rows are items: tests of items' fields are of the row itself. Else rows are events, or sums of events. */
  readonly isItem: boolean;
  /** Who visitors are in the span that the row is in. */
  readonly who: WhoSql;
  /** Joins that give rows of `events` these columns of whole sessions and visitors (plan/columns.ts). */
  readonly wholes: (columns: ReadonlySet<string>) => Sql;
}

/** Where events are looked for. */
export interface Window {
  readonly from: Sql;
  readonly to: Sql;
}
