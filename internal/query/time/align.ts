import { clockStepOf, type Granularity } from "./beginnings.ts";
import { type Calendar, DAY_MS } from "./calendar.ts";
import { offsetsWithin } from "./offsets.ts";
import { wallStart } from "./wall-clock.ts";

/**
 * Pairs the buckets of two periods by local time from each one's start on: minutes to hours by what the clock shows on
 * the n-th day, so that on a day of 23 or 25 hours all others stay paired, and the hour that is missing, or comes twice,
 * stays without a partner; days by the n-th date; weeks to years one by one.
 *
 * @param edges of the first period's buckets, and @param otherEdges of the other's, as bucketEdges gives them.
 * @returns for each bucket of the first the other's; undefined where it has none. No bucket of the other comes twice.
 */
export function alignBuckets(
  edges: readonly number[],
  otherEdges: readonly number[],
  granularity: Granularity,
  calendar: Calendar,
): (number | undefined)[] {
  const places = new Map(keysOf(otherEdges, granularity, calendar).map((key, bucket) => [key, bucket]));
  return keysOf(edges, granularity, calendar).map((key) => places.get(key));
}

/** What tells the buckets of a period apart, and is equal for partners. */
function keysOf(edges: readonly number[], granularity: Granularity, { timeZone }: Calendar): string[] {
  const step = clockStepOf(granularity) ?? (granularity === "day" ? DAY_MS : undefined);
  const starts = edges.slice(0, -1);
  if (step === undefined) return starts.map((_, bucket) => String(bucket));
  const offsets = offsetsWithin({ start: edges[0]!, end: edges.at(-1)! }, timeZone);
  const first = Math.floor(wallStart(edges[0]!, timeZone) / step);
  const seen = new Map<number, number>();
  let at = 0;
  return starts.map((start) => {
    while (start >= offsets[at]!.end) at++;
    const place = Math.floor((start + offsets[at]!.offsetMs) / step) - first;
    const nth = (seen.get(place) ?? 0) + 1;
    seen.set(place, nth);
    return `${place} ${nth}`;
  });
}
