import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { type Plan, placeOf } from "../plan/plan.ts";
import { isBounded, isOfEstimates } from "../plan/sample.ts";
import { type Order, positionCount } from "../question/question.ts";
import { type BaseMetric, factorOf, type Metric } from "../schema/field.ts";
import { EVENTS } from "../schema/metrics/traffic.ts";
import { factsSql } from "./facts.ts";
import { metricFilterSql } from "./filter.ts";
import { groupNames, groupSql, type Tuple, typeOf } from "./groups.ts";
import { personsSql } from "./persons.ts";
import { firstTimesSql } from "./visitors.ts";

/**
 * The statement of a plan. Columns of its rows: is_total, place (of the row among all that are answered, from 1 on),
 * total_rows (in the row of the totals), then those of groupNames, then one for each of the plan's bases and span, first
 * all of the first span, and likewise of its products.
 * @param top the only values of dimensions that are told apart; the rest is one row each bucket. Undefined: all.
 */
export function statementSql(plan: Plan, top?: readonly Tuple[]): Sql {
  const { question, facts, groups } = plan;
  const ctes = [
    ...personsSql(question),
    ...(facts === undefined ? [] : [sql`facts AS (${factsSql(question, facts)})`]),
    ...(plan.visitors ? firstTimesSql(question) : []),
    ...groups.map((group, index) => sql`g${raw(String(index))} AS (${groupSql(plan, group, top)})`),
    sql`cells AS (${cellsSql(plan, top)})`,
  ];
  const names = groupNames(plan, top);
  const numbers = numbersOf(plan);
  const listed = (columns: readonly string[]) => raw(columns.map((name) => `, ${name}`).join(""));
  const empties = raw(names.map((name) => `, NULL${typeOf(plan, name)}`).join(""));
  // Without dimensions the one row is that of the totals.
  const isRow = names.length === 0 ? sql`is_total` : sql`NOT is_total`;
  const total = sql`SELECT true AS is_total, 0::bigint AS place,
      (SELECT count(*) FROM cells WHERE ${isRow}${passesSql(plan)}) AS total_rows${empties}${listed(numbers)}
    FROM cells WHERE is_total`;
  const rows = sql`SELECT * FROM (
      SELECT false AS is_total, row_number() OVER (${orderSql(plan, names)}) AS place, NULL::bigint AS total_rows${listed([...names, ...numbers])}
      FROM cells WHERE ${isRow}${passesSql(plan)}
    ) numbered
    WHERE place > ${question.offset}::bigint AND place <= ${question.offset + question.limit}::bigint`;
  return sql`WITH ${join(ctes, ",\n")}\n${total} UNION ALL ${rows}`;
}

/**
 * The names of numbers: of the bases m0 and on of the first span, n0 and on of the second, then of the products p0 and on,
 * and q0 and on.
 */
function numbersOf(plan: Plan): string[] {
  return numberColumns(plan).map(({ name }) => name);
}

/** A number of a row, by what groups know of one row. */
function numberColumns(plan: Plan): { readonly name: string; readonly value: string }[] {
  const { bases, products, question } = plan;
  const ofBases = question.spans.flatMap((_, span) =>
    bases.map((base, index) => ({ name: `${"mn"[span]}${index}`, value: baseValue(base, index, span) })),
  );
  const ofProducts = question.spans.flatMap((_, span) =>
    products.map((_, index) => ({
      name: `${"pq"[span]}${index}`,
      value: `coalesce(max(p${index}) FILTER (WHERE span = ${span}), 0)`,
    })),
  );
  return [...ofBases, ...ofProducts];
}

function baseValue(base: BaseMetric, index: number, span: number): string {
  const value = `max(m${index}) FILTER (WHERE span = ${span})`;
  return base.kind === "quantile" ? value : `coalesce(${value}, 0)`;
}

/** What all groups know of the same values of dimensions, in one row. */
function cellsSql(plan: Plan, top: readonly Tuple[] | undefined): Sql {
  const names = ["is_total", ...groupNames(plan, top)];
  const arms = plan.groups.map((group, at) => {
    const numbers = plan.bases.map((base, index) =>
      group.metrics.includes(base) ? `m${index}` : `NULL::${numberType(base)} AS m${index}`,
    );
    const products = plan.products.map((_, index) =>
      group.factor === undefined ? `NULL::float8 AS p${index}` : `p${index}`,
    );
    return raw(`SELECT ${[...names, "span", ...numbers, ...products].join(", ")} FROM g${at}`);
  });
  const numbers = numberColumns(plan).map(({ name, value }) => raw(`${value} AS ${name}`));
  return sql`SELECT ${raw(names.join(", "))}, ${join(numbers)}
    FROM (${join([...arms, ...alwaysSql(plan, top)], " UNION ALL ")}) known GROUP BY ${raw(names.join(", "))}`;
}

/** Rows that are there whatever is counted: the totals, and where time is the only dimension, all positions. */
function alwaysSql(plan: Plan, top: readonly Tuple[] | undefined): Sql[] {
  const numbers = [...plan.bases, ...plan.products].map(() => ", NULL").join("");
  const names = groupNames(plan, top);
  const nulls = names.map((name) => `NULL${typeOf(plan, name)}, `).join("");
  const totals = raw(`SELECT true, ${nulls}0${numbers}`);
  const { dimensions, spans } = plan.question;
  if (dimensions.length !== 1 || names[0] !== "bucket") return [totals];
  const last = positionCount(spans) - 1;
  return [
    totals,
    sql`SELECT false, bucket, 0${raw(numbers)} FROM generate_series(0, ${last}::integer) AS bucket`,
  ];
}

/** Of the null that stands for another group's number. */
function numberType(base: BaseMetric): string {
  return base.kind === "quantile" ? "float8" : "numeric";
}

function passesSql(plan: Plan): Sql {
  const { metricFilter } = plan.question;
  if (metricFilter === undefined) return empty;
  return sql` AND ${metricFilterSql(metricFilter, (metric) => metricSql(plan, metric, "m"))}`;
}

/** A base's number; an estimate as bounded() has it. */
function numberOf(plan: Plan, base: BaseMetric, letter: "m" | "n"): Sql {
  const number = rawNumberOf(plan, base, letter);
  if (!isBounded(plan, base)) return number;
  const least = base.where === undefined ? sql`greatest(${number}, 1)` : number;
  return sql`least(${least}, ${rawNumberOf(plan, EVENTS, letter)})`;
}

function rawNumberOf(plan: Plan, base: BaseMetric, letter: "m" | "n"): Sql {
  return raw(`${letter}${placeOf(plan, base)}`);
}

/** A metric's number in its unit, over a row of cells; null: none. */
function metricSql(plan: Plan, metric: Metric, letter: "m" | "n"): Sql {
  if (metric.kind !== "ratio") {
    const factor = metric.unit === "currency" ? 1e-6 : factorOf(metric);
    const number = numberOf(plan, metric, letter);
    return factor === 1 ? number : sql`(${number}::float8 * ${factor}::float8)`;
  }
  const { numerator, denominator, factor, complement } = metric;
  const of = isOfEstimates(plan, metric) ? rawNumberOf : numberOf;
  const below = of(plan, denominator, letter);
  const quotient = sql`(${of(plan, numerator, letter)}::float8 * ${factor}::float8 / nullif(${below}, 0)::float8)`;
  return complement ? sql`(1 - ${quotient})` : quotient;
}

function orderSql(plan: Plan, names: readonly string[]): Sql {
  const { question } = plan;
  const isText = (name: string) => /^d\d+$/.test(name) && typeOf(plan, name) === "::text";
  const values = names.filter((name) => /^d\d+$/.test(name)).map((name) => `${name} IS NULL`);
  const last = question.includeEmpty || values.length === 0 ? [] : [raw(`(${values.join(" OR ")})`)];
  const rest = names.includes("is_rest") ? [raw("is_rest")] : [];
  const asked = question.orderBy.map((order) => orderOf(plan, order));
  const ties = names.map((name) => raw(`${name}${isText(name) ? ' COLLATE "C"' : ""} NULLS LAST`));
  return sql`ORDER BY ${join([...rest, ...last, ...asked, ...ties, raw("is_total")])}`;
}

function orderOf(plan: Plan, { by, ascending, byChange }: Order): Sql {
  const direction = raw(`${ascending ? "ASC" : "DESC"} NULLS LAST`);
  if ("dimension" in by) {
    const { type } = plan.question.dimensions[by.dimension]!;
    const name = type === "bucket" ? "bucket" : `d${by.dimension}`;
    return sql`${raw(`${name}${type === "text" ? ' COLLATE "C"' : ""}`)} ${direction}`;
  }
  const metric = plan.question.metrics[by.metric]!;
  if (!byChange) {
    // As they are: amounts may have more digits than a float8.
    const exact = metric.kind === "ratio" ? metricSql(plan, metric, "m") : numberOf(plan, metric, "m");
    return sql`${exact} ${direction}`;
  }
  const now = metricSql(plan, metric, "m");
  const before = metricSql(plan, metric, "n");
  return sql`((${now} - ${before})::float8 / nullif(abs(${before}), 0)::float8) ${direction}`;
}
