import type { Factor } from "../plan/sample.ts";
import type { FunnelQuestion } from "../question/funnel.ts";

/** What is read of a step. */
export interface StepRead {
  /** Of the sample, as all else here. */
  readonly visitors: bigint;
  /** Micros. */
  readonly revenue: bigint;
  /** Of visitors' revenues, added up. */
  readonly squares: number;
  /** Seconds since the step before, by QUANTILES (sql/funnel.ts); none where nobody came to it. */
  readonly quantiles: readonly (number | null)[];
}

/** What an answer tells of a step; NaN: nothing. */
export interface StepNumbers {
  readonly visitors: bigint;
  readonly conversion_rate: number;
  readonly step_conversion_rate: number;
  readonly drop_offs: bigint;
  /** Micros. */
  readonly revenue: bigint;
  readonly median_time: number;
  readonly p90_time: number;
  /** Standard errors relative to the numbers; undefined: they are exact. */
  readonly errors: Readonly<Record<keyof Omit<StepNumbers, "errors">, number>> | undefined;
}

const NOTHING: StepRead = { visitors: 0n, revenue: 0n, squares: 0, quantiles: [] };

/** The numbers of a funnel's steps. @param read undefined: nobody entered. */
export function stepNumbers(
  { steps }: Pick<FunnelQuestion, "steps">,
  read: readonly StepRead[] | undefined,
  factor: Factor | undefined,
): StepNumbers[] {
  const all = steps.map((_, at) => read?.[at] ?? NOTHING);
  return all.map((step, at) => {
    const required = steps.slice(0, at).findLastIndex(({ isOptional }) => !isOptional);
    const before = all[required] ?? step;
    const dropped = at === 0 ? 0n : before.visitors - step.visitors;
    const times = BigInt(factor ?? 1);
    return {
      visitors: step.visitors * times,
      conversion_rate: Number(step.visitors) / Number(all[0]!.visitors),
      step_conversion_rate: Number(step.visitors) / Number(before.visitors),
      drop_offs: dropped * times,
      revenue: step.revenue * times,
      median_time: step.quantiles[1] ?? Number.NaN,
      p90_time: step.quantiles[4] ?? Number.NaN,
      errors: factor === undefined ? undefined : errorsOf(step, [all[0]!, before], dropped, factor),
    };
  });
}

/**
 * Standard errors of a Bernoulli sample of one visitor in `factor`: of counts and sums those of the Horvitz-Thompson
 * estimator, of rates those of a binomial share, and of quantiles by the density that their neighbours tell (P. Bickel and
 * K. Doksum: Mathematical Statistics, the asymptotic variance of sample quantiles).
 */
function errorsOf(
  { visitors, revenue, squares, quantiles }: StepRead,
  [first, before]: readonly [StepRead, StepRead],
  dropped: bigint,
  factor: Factor,
): NonNullable<StepNumbers["errors"]> {
  const share = 1 - 1 / factor;
  const count = (n: number) => (n === 0 ? Number.POSITIVE_INFINITY : Math.sqrt(share / n));
  const n = Number(visitors);
  const rate = (of: StepRead) => count(n) * Math.sqrt(1 - n / Math.max(1, Number(of.visitors)));
  const quantile = (p: number, [from, at, to]: readonly (number | null | undefined)[], width: number) => {
    if (from == null || at == null || to == null || at === 0) return 0;
    return (Math.sqrt((share * p * (1 - p)) / n) * (to - from)) / width / at;
  };
  return {
    visitors: count(n),
    conversion_rate: n === 0 ? Number.POSITIVE_INFINITY : rate(first),
    step_conversion_rate: n === 0 ? Number.POSITIVE_INFINITY : rate(before),
    // Nobody can be lost before the first step.
    drop_offs: first === before && dropped === 0n ? 0 : count(Number(dropped)),
    revenue: revenue === 0n ? 0 : Math.sqrt(share * squares) / Math.abs(Number(revenue)),
    median_time: quantile(0.5, quantiles.slice(0, 3), 0.2),
    p90_time: quantile(0.9, quantiles.slice(3, 6), 0.1),
  };
}
