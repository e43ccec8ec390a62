/**
 * The sample of visitors: of a merchant with rollups, everything that one visitor in `factor` did. It is a Bernoulli
 * sample by visitor, as their ids are hashes: each is in it with the probability 1 / factor, whatever the others are.
 */
export const SAMPLE = {
  table: "sampled_visits_1d",
  factor: 8,
  /** SQL over a row of events: whether it is in. As the aggregate's definition has it (migration 0017). */
  isSampled: "visitor_id & 7 = 0",
} as const;

/** What is known of a number of different keys, visitors or sessions, of which each belongs to one visitor. */
export interface Sampled {
  /** As estimateSql makes it of the sample. */
  readonly estimate: bigint;
  /** The sum over the sampled visitors of their keys squared. */
  readonly squares: bigint;
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
export function estimateSql(sampled: string, events: string): string {
  return `least(greatest(${SAMPLE.factor} * ${sampled}, 1), ${events})`;
}

/**
 * The standard error of an estimate, relative to it; 0: it is exact. It is the root of the estimator's variance, which
 * for Bernoulli sampling of visitors is estimated by factor (factor - 1) times the sum of squares; for visitors, each
 * with one key, that makes sqrt((factor - 1) / estimate). Where nobody is in the sample it is as if one were. Estimate
 * and truth both lie between 1 and the number of events, and so are no further apart than that.
 */
export function standardErrorOf({ estimate, squares, events }: Sampled): number {
  if (events <= 1n) return 0;
  const { factor } = SAMPLE;
  const error = Math.sqrt(factor * (factor - 1) * Math.max(1, Number(squares)));
  return Math.min(error, Number(events - 1n)) / Number(estimate);
}
