import { beginningsIn, type Granularity } from "./beginnings.ts";
import type { Calendar, Span } from "./calendar.ts";
import { InvalidField } from "./invalid-field.ts";

/** The most buckets that a report may have. */
export const MAX_BUCKETS = 10_000;

/**
 * The edges of a span's buckets, epoch ms: bucket i is [edges[i], edges[i + 1]). They ascend strictly; the first is the
 * span's start and the last its end, so that the first and the last bucket are cut there.
 * @throws InvalidField on "granularity" where there would be more than MAX_BUCKETS.
 */
export function bucketEdges(span: Span, granularity: Granularity, calendar: Calendar): number[] {
  const edges = [span.start];
  for (const edge of beginningsIn(span, granularity, calendar)) {
    if (edge === span.start) continue;
    if (edges.length === MAX_BUCKETS) throw tooMany(granularity);
    edges.push(edge);
  }
  edges.push(span.end);
  return edges;
}

function tooMany(granularity: Granularity): InvalidField {
  return new InvalidField(
    "granularity",
    granularity,
    `one that makes at most ${MAX_BUCKETS} buckets of the period; ask for longer ones, or a shorter period`,
  );
}

/**
 * Which buckets are partial: cut by the span, or not over.
 * @param edges as bucketEdges gives them.
 * @param through up to when data are complete, epoch ms: what ends later is not over.
 */
export function partialBuckets(
  edges: readonly number[],
  granularity: Granularity,
  calendar: Calendar,
  through: number,
): boolean[] {
  const partial = edges.slice(1).map((end) => end > through);
  if (!isBeginning(edges[0]!, granularity, calendar)) partial[0] = true;
  if (!isBeginning(edges.at(-1)!, granularity, calendar)) partial[partial.length - 1] = true;
  return partial;
}

function isBeginning(time: number, granularity: Granularity, calendar: Calendar): boolean {
  const { value } = beginningsIn({ start: time, end: time + 1 }, granularity, calendar).next();
  return value === time;
}
