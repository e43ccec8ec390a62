import sql, { type Sql } from "sql-template-tag";
import type { AdditiveMetric, Dimension, Metric, QuantileMetric } from "./field.ts";

/** A property that some of a merchant's events have. */
export interface Property {
  readonly name: string;
  /** Whether it was a number in one of them. */
  readonly isNumeric: boolean;
}

/** Longest name of a property, UTF-16 units. */
const LONGEST_NAME = 256;

const QUANTILES = { min: 0, max: 1, p50: 0.5, p75: 0.75, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

/** What is told of the numbers of a property, in the order in which it is listed. */
export const PROPERTY_METRICS = [
  "sum",
  "average",
  "count",
  ...(Object.keys(QUANTILES) as (keyof typeof QUANTILES)[]),
] as const;

type PropertyMetric = (typeof PROPERTY_METRICS)[number];

/** The dimension "property:NAME"; undefined for other names. Numbers and booleans are as JSON writes them. */
export function propertyDimension(name: string): Dimension | undefined {
  const property = /^property:(.+)$/s.exec(name)?.[1];
  if (property === undefined || !isPropertyName(property)) return undefined;
  return {
    kind: "dimension",
    name,
    title: property,
    description: `Property ${property} of the event.`,
    scope: "event",
    type: "text",
    filterable: true,
    groupable: true,
    columns: ["properties"],
    sql: () => sql`nullif(properties ->> ${property}::text, '')`,
    number: numberOf(property),
  };
}

/** The metric "property:NAME:sum" and its like; undefined for other names. Values that are no numbers do not count. */
export function propertyMetric(name: string): Metric | undefined {
  const [, property = "", what = ""] = /^property:(.+):([a-z0-9]+)$/s.exec(name) ?? [];
  if (!isPropertyName(property) || !isPropertyMetric(what)) return undefined;
  if (what === "sum" || what === "count") return additive(property, what);
  if (what !== "average") return quantile(property, what);
  return {
    ...about(property, what),
    kind: "ratio",
    unit: "number",
    numerator: additive(property, "sum"),
    denominator: additive(property, "count"),
    factor: 1,
  };
}

function isPropertyName(name: string): boolean {
  return name !== "" && name.length <= LONGEST_NAME && !name.includes("\0") && name.isWellFormed();
}

function isPropertyMetric(text: string): text is PropertyMetric {
  return (PROPERTY_METRICS as readonly string[]).includes(text);
}

function additive(property: string, what: "sum" | "count"): AdditiveMetric {
  const value = numberOf(property);
  return {
    ...about(property, what),
    kind: "additive",
    unit: what === "sum" ? "number" : "count",
    relation: "events",
    columns: ["properties"],
    rows: what === "sum" ? sql`sum(${value})` : sql`count(${value})`,
  };
}

function quantile(property: string, what: keyof typeof QUANTILES): QuantileMetric {
  return {
    ...about(property, what),
    kind: "quantile",
    unit: "number",
    relation: "events",
    quantile: QUANTILES[what],
    columns: ["properties"],
    value: numberOf(property),
  };
}

function about(property: string, what: PropertyMetric) {
  return {
    name: `property:${property}:${what}`,
    title: `${property}, ${what}`,
    description: `${what} of the numbers that the property ${property} has.`,
    scope: "event",
  } as const;
}

/** A number of the properties; texts that look like one are none. */
function numberOf(property: string): Sql {
  return sql`(CASE WHEN jsonb_typeof(properties -> ${property}::text) = 'number'
    THEN (properties ->> ${property}::text)::float8 END)`;
}
