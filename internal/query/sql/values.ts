import sql, { raw, type Sql } from "sql-template-tag";
import type { Span } from "../question/question.ts";
import type { Dimension, RowContext } from "../schema/field.ts";
import { manySql } from "./rows.ts";

/** A dimension's value of a row. An empty text is none. Of a dimension of many values it is an array of one at least. */
export function valueSql(dimension: Dimension, context: RowContext): Sql {
  const value = dimension.sql(context);
  if (dimension.isMany) return manySql(value);
  return dimension.type === "text" ? sql`nullif(${value}, '')` : value;
}

/** More edges than these travel as numbers: their texts are made and sent in a third of the time. */
const MANY_EDGES = 1_000;

/** The position of the bucket that a time of the span is in. @param time a column. */
export function positionSql(
  { edges, positions }: Pick<Span, "positions"> & { readonly edges: readonly number[] },
  time: string,
): Sql {
  const number =
    edges.length > MANY_EDGES
      ? sql`width_bucket(date_part('epoch', ${raw(time)}), ${arrayOf(edges, (edge) => edge / 1_000)}::float8[])`
      : sql`width_bucket(${raw(time)}, ${arrayOf(edges, (edge) => new Date(edge).toISOString())}::timestamptz[])`;
  if (positions === undefined) return sql`${number} - 1`;
  return sql`(${arrayOf(positions, (position) => position)}::integer[])[${number}]`;
}

/** Arrays as PostgreSQL reads them: several arms of a statement have the same ones. */
const arrays = new WeakMap<readonly number[], string>();

function arrayOf(values: readonly number[], element: (value: number) => string | number): string {
  let array = arrays.get(values);
  if (array === undefined) {
    array = `{${values.map(element).join()}}`;
    arrays.set(values, array);
  }
  return array;
}
