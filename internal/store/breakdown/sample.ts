/**
 * Samples of the visitors of merchants with rollups: all that one visitor in k did, for the factors k. They are Bernoulli
 * samples by visitor, as visitors' ids are hashes: each is in one with the probability 1 / k, whatever the others are.
 */
export const SAMPLES = "sampled_visits_1d";

/** Each sample holds the next, sparser one. As the aggregate's definition has them. */
const FACTORS = [8, 32, 128, 512] as const;

export type Factor = (typeof FACTORS)[number];

/** SQL over a row of events: whether a sample has it. */
export function isSampledEvent(factor: Factor): string {
  return `visitor_id & ${factor - 1} = 0`;
}

/** SQL over a row of the aggregate: whether a sample has it. */
export function isSampledVisit(factor: Factor): string {
  return `factor >= ${factor}`;
}

/** Of sampled events so many are read in 0.1 to 0.2 s, and the errors of usual values are a few per cent. */
const SAMPLED_EVENTS = 300_000;

/**
 * Which sample is to be read in place of so many events; undefined: none, as the exact count is quick too.
 * @param source what that would count.
 */
export type ChooseSample = (events: number, source: "rows" | "visits") => Factor | undefined;

/** Of visits (visits_1d) an exact count takes half as long as of rows at most. */
const VISITS_GAIN = 2;

/** The densest sample that is quick, from some number of events on; where visits answer, of more. */
export function sampleFrom(fromEvents: number): ChooseSample {
  return (events, source) => {
    if (events < fromEvents * (source === "visits" ? VISITS_GAIN : 1)) return undefined;
    return FACTORS.find((factor) => events / factor <= SAMPLED_EVENTS) ?? FACTORS.at(-1)!;
  };
}

/** What is known of a number of different keys, visitors or sessions, of which each belongs to one visitor. */
export interface Sampled {
  /** As estimateSql makes it of the sample. */
  readonly estimate: bigint;
  /** The sum over the sampled visitors of their keys squared. */
  readonly squares: bigint;
  /** Of the sample. */
  readonly factor: Factor;
  /** Events that the keys were counted among, exact: no key is without one. */
  readonly events: bigint;
}

/**
 * SQL of an estimate: the sampled keys by the factor, which is the Horvitz-Thompson estimator (D. G. Horvitz and
 * D. J. Thompson: A generalization of sampling without replacement from a finite universe, 1952). What has events has
 * one key or more, and no more keys than events: an estimate outside of that is moved to its bound, which is nearer to
 * the truth at any rate.
 * @param sampled keys in the sample. @param events all that there are.
 */
export function estimateSql(factor: Factor, sampled: string, events: string): string {
  return `least(greatest(${factor} * ${sampled}, 1), ${events})`;
}

/**
 * The standard error of an estimate, relative to it; 0: it is exact. It is the root of the estimator's variance, which
 * for Bernoulli sampling of visitors is estimated by factor (factor - 1) times the sum of squares: for visitors, each
 * with one key, sqrt((factor - 1) / estimate). Of few sampled visitors that sum says little, so one more is added to it,
 * as usual among all. Estimate and truth both lie between 1 and the number of events, and so are no further apart.
 * @param usual keys that such a visitor has: usualKeys.
 */
export function standardErrorOf({ estimate, squares, factor, events }: Sampled, usual: number): number {
  if (events <= 1n) return 0;
  const error = Math.sqrt(factor * (factor - 1) * (Number(squares) + usual ** 2));
  return Math.min(error, Number(events - 1n)) / Number(estimate);
}

/** How many keys the visitor of a key has, on average over all keys that were sampled; 1 where there are none. */
export function usualKeys({ estimate, squares, factor }: Sampled): number {
  return Math.max(1, (factor * Number(squares)) / Math.max(1, Number(estimate)));
}
