import sql, { empty, raw, type Sql } from "sql-template-tag";
import type { Part } from "../plan/cover.ts";
import type { Factor } from "../plan/sample.ts";
import type { Merchant, Traffic } from "../question/question.ts";

/** An instant as a parameter. @param time ms since 1970-01-01 UTC, of a year with four digits. */
export function instant(time: number): Sql {
  return sql`${new Date(time).toISOString()}::timestamptz`;
}

/** Whose rows: of one merchant, and of the traffic asked for. */
export interface Whose {
  readonly merchant: Pick<Merchant, "merchantId">;
  readonly traffic: Traffic;
}

/** Condition on rows of a table: the merchant's, of the traffic, in [from, to). */
export function ofMerchant(
  { merchant, traffic }: Whose,
  time: string,
  { from, to }: Pick<Part, "from" | "to">,
): Sql {
  return sql`merchant_id = ${merchant.merchantId}::integer AND ${raw(time)} >= ${instant(from)} AND ${raw(time)} < ${instant(to)} AND ${ofTraffic(traffic)}`;
}

/** Condition on rows with visitor_id: those of a sample of the visitors, "AND" before it; none where all are read. */
export function ofSample(factor: Factor | undefined): Sql {
  return factor === undefined ? empty : sql` AND visitor_id & ${raw(String(factor - 1))} = 0`;
}

/** Condition on rows with is_bot. */
export function ofTraffic(traffic: Traffic): Sql {
  if (traffic === "all") return sql`true`;
  return traffic === "bots" ? sql`is_bot` : sql`NOT is_bot`;
}

/** The values of a dimension of many as an array of one at least: a null stands for none. */
export function manySql(values: Sql): Sql {
  return sql`coalesce(nullif(${values}, '{}'::text[]), ARRAY[NULL::text])`;
}

/** An expression under a name. */
export function as(expression: Sql, name: string): Sql {
  return sql`${expression} AS ${raw(name)}`;
}
