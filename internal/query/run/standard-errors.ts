import { type Plan, placeOf } from "../plan/plan.ts";
import { bounded, isBounded, isEstimated, isOfEstimates } from "../plan/sample.ts";
import { type BaseMetric, basesOf, type Metric, type RatioMetric } from "../schema/field.ts";
import { EVENTS } from "../schema/metrics/traffic.ts";
import type { Numeric, ResultRow } from "./table.ts";

/** Looks up a row's numbers of one span. */
interface Numbers {
  of(metric: BaseMetric): number;
  /** Of two metrics the sum of their products over the sampled visitors. */
  product(one: BaseMetric, other: BaseMetric): number;
}

/**
 * The standard errors of a metric over rows, relative to its values; undefined: it is exact.
 *
 * It is the root of the estimator's variance, which for Bernoulli sampling of one visitor in k is estimated by
 * k (k - 1) times the sum of squares over the sampled visitors (C.-E. Särndal, B. Swensson and J. Wretman: Model assisted
 * survey sampling, 1992, 3.2): for visitors, each of whom counts once, sqrt((k - 1) / estimate). Of few sampled visitors
 * that sum says little, so one more is added to it, as usual among all. Of a ratio the squares are those of its residuals
 * (5.5). Infinity: of an estimate of 0.
 *
 * @param totals the row over all rows.
 */
export function standardErrorsOf(
  plan: Plan,
  metric: Metric,
  span: number,
  rows: readonly ResultRow[],
  totals: ResultRow,
): number[] | undefined {
  if (!basesOf(metric).some((base) => isEstimated(plan, base))) return undefined;
  const all = numbersOf(plan, span, totals);
  return rows.map((each) => {
    const row = numbersOf(plan, span, each);
    if (metric.kind !== "ratio") return relative(errorOf(plan, metric, row, all), within(plan, metric, row));
    if (isOfEstimates(plan, metric)) return errorOfEstimates(plan, metric, row, all);
    const { numerator, denominator, complement } = metric;
    const [above, below] = [within(plan, numerator, row), within(plan, denominator, row)];
    if (below === 0) return 0;
    const error = isEstimated(plan, numerator)
      ? errorOf(plan, numerator, row, all) / below
      : (errorOf(plan, denominator, row, all) * Math.abs(above)) / below ** 2;
    return relative(error, complement ? 1 - above / below : above / below);
  });
}

function within(plan: Plan, base: BaseMetric, row: Numbers): number {
  return isBounded(plan, base) ? bounded(row.of(base), base, row.of(EVENTS)) : row.of(base);
}

function numbersOf({ question, bases, products }: Plan, span: number, { numbers }: ResultRow): Numbers {
  const at = (place: number) => Number(numbers[place] as Numeric);
  const behind = question.spans.length * bases.length + span * products.length;
  return {
    of: (metric) => at(span * bases.length + placeOf({ bases }, metric)),
    product: (one, other) =>
      at(behind + products.findIndex((pair) => pair[0].name === one.name && pair[1].name === other.name)),
  };
}

/** The standard error of an estimate. Both it and the truth lie between bounds that events tell, and so are no further apart. */
function errorOf(plan: Plan, metric: BaseMetric, row: Numbers, all: Numbers): number {
  const error = Math.sqrt(spread(plan) * (row.product(metric, metric) + usual(plan, metric, all) ** 2));
  if (!isBounded(plan, metric)) return error;
  return Math.min(error, Math.max(0, row.of(EVENTS) - (metric.where === undefined ? 1 : 0)));
}

/** The standard error of a ratio of two estimates, relative to it. */
function errorOfEstimates(
  plan: Plan,
  { numerator, denominator, complement }: RatioMetric,
  row: Numbers,
  all: Numbers,
): number {
  const below = row.of(denominator);
  if (below === 0) return 0;
  const residuals = (of: Numbers) => {
    const ratio = of.of(numerator) / Math.max(1, of.of(denominator));
    const own = of.product(numerator, numerator) + ratio ** 2 * of.product(denominator, denominator);
    return Math.max(0, own - 2 * ratio * of.product(numerator, denominator));
  };
  const visitors = all.of(denominator) / (factorOfSample(plan) * usual(plan, denominator, all));
  const variance = spread(plan) * (residuals(row) + residuals(all) / Math.max(1, visitors));
  const ratio = row.of(numerator) / below;
  return relative(Math.sqrt(variance) / below, complement ? 1 - ratio : ratio);
}

/** What the visitor of a counted id counts for, on average over all ids; 1 where there are none. */
function usual(plan: Plan, metric: BaseMetric, all: Numbers): number {
  return Math.max(1, (factorOfSample(plan) * all.product(metric, metric)) / Math.max(1, all.of(metric)));
}

function spread(plan: Plan): number {
  const factor = factorOfSample(plan);
  return factor * (factor - 1);
}

function factorOfSample({ groups }: Plan): number {
  return groups.find(({ factor }) => factor !== undefined)?.factor ?? 1;
}

function relative(error: number, value: number): number {
  return error === 0 ? 0 : error / Math.abs(value);
}
