import type { Question } from "../question/question.ts";
import { type BaseMetric, basesOf, type DistinctMetric, type RatioMetric } from "../schema/field.ts";
import { EVENTS } from "../schema/metrics/traffic.ts";
import { SESSION_COLUMNS } from "./columns.ts";

/**
 * Samples of the visitors: all that one visitor in k did, for the factors k. They are Bernoulli samples by visitor, as
 * visitors' ids are hashes: each is in one with the probability 1 / k, whatever the others are. Each sample holds the
 * next, sparser one. As the aggregate sampled_visits_1d has them.
 */
const FACTORS = [8, 32, 128, 512] as const;

export type Factor = (typeof FACTORS)[number];

/** Of sampled events so many are read in 0.1 to 0.2 s, and the errors of usual values are a few per cent. */
const SAMPLED_EVENTS = 300_000;

/** Of so many events an exact count takes some 20 ms. */
const FAST_FROM_EVENTS = 20_000;

/** From aggregates an exact count takes half as long as from rows at most. */
const AGGREGATES_GAIN = 2;

/** Whether a number is estimated where there is a sample; sums are exact always. */
export function isEstimable({ kind, relation }: BaseMetric): boolean {
  return relation === "events" && (kind === "distinct" || kind === "session_sum");
}

/**
 * Whether a sample can answer a question. Persons are not sampled, as each of their visitors would be by itself. What
 * whole sessions tell apart is exact where sums are asked for, as these need all sessions at any rate.
 * @param columns of dimensions and filter.
 */
export function canEstimate({ accuracy, identity, metrics }: Question, columns: Iterable<string>): boolean {
  if (accuracy === "exact" || identity !== "visitor") return false;
  const bases = metrics.flatMap(basesOf);
  return isOfSessions(columns) ? bases.every(isEstimable) : bases.some(isEstimable);
}

/** Whether columns are of whole sessions: their values are not in the rows. */
export function isOfSessions(columns: Iterable<string>): boolean {
  return [...columns].some((column) => SESSION_COLUMNS.has(column));
}

/** About a question that canEstimate. */
export interface Size {
  /** Of the merchant in the spans. */
  readonly events: number;
  /** From so many events on a balanced answer is estimated. */
  readonly fromEvents: number;
  /** Whether aggregates have what is counted exactly. */
  readonly hasAggregate: boolean;
}

/** The densest sample that is quick; undefined: an exact count is quick too. */
export function factorFor(
  { accuracy }: Pick<Question, "accuracy">,
  { events, fromEvents, hasAggregate }: Size,
): Factor | undefined {
  const most = accuracy === "fast" ? Math.min(FAST_FROM_EVENTS, fromEvents) : fromEvents;
  if (events < most * (hasAggregate ? AGGREGATES_GAIN : 1)) return undefined;
  return FACTORS.find((factor) => events / factor <= SAMPLED_EVENTS) ?? FACTORS.at(-1)!;
}

/** The pairs of estimated numbers whose products over visitors tell standard errors: each with itself, and those of a ratio. */
export function productsOf(
  { metrics }: Question,
  bases: readonly BaseMetric[],
): (readonly [BaseMetric, BaseMetric])[] {
  const known = (one: BaseMetric) => bases.find(({ name }) => name === one.name)!;
  const squares = bases.filter(isEstimable).map((base) => [base, base] as const);
  const ofRatios = metrics.flatMap((metric) =>
    metric.kind === "ratio" && isEstimable(metric.numerator) && isEstimable(metric.denominator)
      ? [[known(metric.numerator), known(metric.denominator)] as const]
      : [],
  );
  return [...squares, ...ofRatios];
}

/** What tells whether a number is an estimate. */
interface Estimated {
  readonly bases: readonly BaseMetric[];
  readonly products: readonly (readonly [BaseMetric, BaseMetric])[];
}

/** Whether a number is estimated. */
export function isEstimated({ products }: Estimated, base: BaseMetric): boolean {
  return products.some(([one]) => one.name === base.name);
}

/** Whether an estimate is held within bounds: of those by the values of whole sessions there is no number of events. */
export function isBounded(plan: Estimated, base: BaseMetric): base is DistinctMetric {
  const hasEvents = plan.bases.some(({ name }) => name === EVENTS.name);
  return base.kind === "distinct" && hasEvents && isEstimated(plan, base);
}

/**
 * An estimate of different ids, by the number of events: what has events has one id or more, and no more than events. An
 * estimate outside of that is moved to its bound, which is nearer to the truth at any rate.
 */
export function bounded(estimate: number, { where }: DistinctMetric, events: number): number {
  return Math.min(where === undefined ? Math.max(estimate, 1) : estimate, events);
}

/** Whether both parts of a ratio are estimates: these are taken as they are, as they are off the same way. */
export function isOfEstimates(plan: Estimated, { numerator, denominator }: RatioMetric): boolean {
  return isEstimated(plan, numerator) && isEstimated(plan, denominator);
}
