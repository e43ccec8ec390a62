import sql, { type Sql } from "sql-template-tag";
import {
  type AdditiveMetric,
  type BaseMetric,
  type DistinctCondition,
  type DistinctMetric,
  factorOf,
  type RatioMetric,
  type Relation,
  type Scope,
  type Unit,
} from "../field.ts";

/** What a metric is told of with; each kind has its unit and scope by default. */
export interface About {
  readonly title: string;
  readonly description: string;
  readonly unit?: Unit;
  readonly scope?: Scope;
  readonly factor?: number;
}

/** Rows of which a condition holds; without columns, all. */
export function count(
  name: string,
  condition: Sql,
  columns: readonly string[],
  about: About,
  relation: Relation = "events",
): AdditiveMetric {
  const rows = columns.length === 0 ? sql`count(*)` : sql`count(*) FILTER (WHERE ${condition})`;
  return {
    kind: "additive",
    name,
    scope: "event",
    unit: "count",
    ...about,
    relation,
    columns,
    rows,
    cell: name,
    biColumn: name,
  };
}

/** A number of rows, added up. @param cell the aggregates' column of the same; undefined: rows alone answer. */
export function sum(
  name: string,
  value: Sql,
  columns: readonly string[],
  cell: string | undefined,
  about: About,
  relation: Relation = "events",
): AdditiveMetric {
  const rows = sql`sum(${value})`;
  return {
    kind: "additive",
    name,
    scope: "event",
    unit: "number",
    ...about,
    relation,
    columns,
    rows,
    cell,
    biColumn: name,
  };
}

/** Likewise of micros of the merchant's currency. */
export function amount(
  name: string,
  value: Sql,
  columns: readonly string[],
  cell: string | undefined,
  about: About,
  relation: Relation = "events",
): AdditiveMetric {
  return sum(name, value, columns, cell, { scope: "order", unit: "currency", ...about }, relation);
}

/** Different visitors or sessions. @param where undefined: all of them. */
export function distinct(
  name: string,
  of: DistinctMetric["of"],
  where: DistinctCondition | undefined,
  about: About,
  relation: Relation = "events",
): DistinctMetric {
  return {
    kind: "distinct",
    name,
    scope: "event",
    unit: "count",
    ...about,
    relation,
    of,
    where,
    biColumn: name,
  };
}

/** One metric by another. */
export function ratio(
  name: string,
  numerator: BaseMetric,
  denominator: BaseMetric,
  about: About & { readonly complement?: boolean },
): RatioMetric {
  // Micros are not told as such outside of sums: an average is a number of units.
  const factor = numerator.unit === "currency" ? 1e-6 : factorOf(numerator);
  return {
    kind: "ratio",
    name,
    scope: numerator.scope,
    unit: "ratio",
    ...about,
    numerator,
    denominator,
    factor,
    biColumn: name,
  };
}
