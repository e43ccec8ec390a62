import sql, { empty, type Sql } from "sql-template-tag";
import { SESSION_COLUMNS, VISITOR_COLUMNS } from "../plan/columns.ts";
import type { Factor } from "../plan/sample.ts";
import type { Scoped } from "../question/question.ts";
import type { RowContext } from "../schema/field.ts";
import { type WhoSql, whoSql } from "./persons.ts";
import { instant, ofSample, ofTraffic } from "./rows.ts";
import { joinFirstTimes } from "./visitors.ts";

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

/** Over what rows a filter stands. */
export interface Over {
  /** Their time. */
  readonly time: Sql;
  /** Of the sample that they are of; undefined: all. */
  readonly factor: Factor | undefined;
  readonly isItem: boolean;
}

/** What a filter's SQL needs in a question's statement. @param at the place of the span that the rows are in. */
export function filterContext(question: Scoped, at: number, { time, factor, isItem }: Over): FilterContext {
  const { timeZone, merchant, traffic, spans } = question;
  const { start, end } = spans[at]!;
  return {
    time,
    timeZone,
    spanStart: instant(start),
    spanEnd: instant(end),
    merchantId: merchant.merchantId,
    traffic: sql`${ofTraffic(traffic)}${ofSample(factor)}`,
    isItem,
    who: whoSql(question, at),
    wholes: (columns) => wholesSql(question, at, columns),
  };
}

/** Joins that give rows the columns of their whole sessions and visitors. */
function wholesSql(question: Scoped, at: number, columns: ReadonlySet<string>): Sql {
  const has = (some: ReadonlySet<string>) => [...columns].some((column) => some.has(column));
  const facts = has(SESSION_COLUMNS) ? sql` LEFT JOIN facts USING (session_id)` : empty;
  return sql`${facts}${joinFirstTimes(question, at, has(VISITOR_COLUMNS))}`;
}
