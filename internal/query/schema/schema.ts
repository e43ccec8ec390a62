import type { Goal } from "../../store/goals.ts";
import { DIMENSIONS } from "./dimensions.ts";
import type { Dimension, Metric } from "./field.ts";
import { goalDimension, goalMetrics } from "./goals.ts";
import { METRICS } from "./metrics.ts";
import { PROPERTY_METRICS, type Property, propertyDimension, propertyMetric } from "./properties.ts";

/** What a merchant has of its own. */
export interface MerchantFields {
  readonly goals: readonly Goal[];
  /** Those that are listed; questions may name any. */
  readonly properties: readonly Property[];
}

/** Every metric and dimension that a merchant may ask for. */
export interface Schema {
  readonly metrics: readonly Metric[];
  readonly dimensions: readonly Dimension[];
  /** undefined: there is none of that name. */
  metric(name: string): Metric | undefined;
  dimension(name: string): Dimension | undefined;
}

const BUILT_IN = { metrics: byName(METRICS), dimensions: byName(DIMENSIONS) };

/** The one look-up for questions, GetMetadata and pages: the built-in fields, and the merchant's goals and properties. */
export function schemaOf({ goals, properties }: MerchantFields): Schema {
  const goal = goalDimension(goals);
  const ofGoals = goalMetrics(goals);
  const goalsByName = byName(ofGoals);
  return {
    metrics: [...METRICS, ...ofGoals, ...properties.flatMap(metricsOf)],
    dimensions: [...DIMENSIONS, goal, ...properties.flatMap(dimensionsOf)],
    metric: (name) => BUILT_IN.metrics.get(name) ?? goalsByName.get(name) ?? propertyMetric(name),
    dimension: (name) =>
      BUILT_IN.dimensions.get(name) ?? (name === goal.name ? goal : propertyDimension(name)),
  };
}

function metricsOf({ name, isNumeric }: Property): Metric[] {
  if (!isNumeric) return [];
  return PROPERTY_METRICS.flatMap((what) => propertyMetric(`property:${name}:${what}`) ?? []);
}

function dimensionsOf({ name }: Property): Dimension[] {
  return [propertyDimension(`property:${name}`) ?? []].flat();
}

function byName<F extends { readonly name: string }>(fields: readonly F[]): ReadonlyMap<string, F> {
  return new Map(fields.map((field) => [field.name, field]));
}
