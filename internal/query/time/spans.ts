import { alignBuckets } from "./align.ts";
import type { Granularity } from "./beginnings.ts";
import { bucketEdges } from "./buckets.ts";
import type { Calendar, Span } from "./calendar.ts";
import { type Comparison, resolveComparison } from "./comparison.ts";
import { type Period, resolvePeriod } from "./period.ts";

/** A span with its buckets, as question/question.ts has it. */
export interface BucketedSpan extends Span {
  readonly edges?: readonly number[];
  readonly positions?: readonly number[];
}

/** When a question is about. */
export interface When {
  readonly period: Period;
  readonly comparison?: Comparison | undefined;
  /** Of the dimension `time`; undefined without it. */
  readonly granularity?: Granularity | undefined;
}

/**
 * The spans of a question: of its period, and of that which it is compared to, with their buckets aligned.
 * @param now epoch ms.
 * @throws InvalidField as resolvePeriod, resolveComparison and bucketEdges do.
 */
export function spansOf(
  { period, comparison, granularity }: When,
  calendar: Calendar,
  now: number,
): readonly [BucketedSpan] | readonly [BucketedSpan, BucketedSpan] {
  const bucketed = (span: Span): BucketedSpan =>
    granularity === undefined ? span : { ...span, edges: bucketEdges(span, granularity, calendar) };
  const first = bucketed(resolvePeriod(period, calendar, now));
  if (comparison === undefined) return [first];
  const other = bucketed(resolveComparison(period, comparison, calendar, now));
  if (granularity === undefined) return [first, other];
  const [positions, otherPositions] = alignBuckets(first.edges!, other.edges!, granularity, calendar);
  return [withPositions(first, positions), withPositions(other, otherPositions)];
}

/** Positions that are told by the buckets' numbers are not told again. */
function withPositions(span: BucketedSpan, positions: readonly number[]): BucketedSpan {
  return positions.every((position, bucket) => position === bucket) ? span : { ...span, positions };
}
