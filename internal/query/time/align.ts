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
 * @returns for each period the positions of its buckets: partners have the same, each position has one bucket or two, and positions
 *   ascend from 0 on in the order of time.
 */
export function alignBuckets(
  edges: readonly number[],
  otherEdges: readonly number[],
  granularity: Granularity,
  calendar: Calendar,
): [number[], number[]] {
  const otherKeys = keysOf(otherEdges, granularity, calendar);
  const places = new Map(otherKeys.map((key, bucket) => [key, bucket]));
  const [positions, otherPositions]: [number[], number[]] = [[], []];
  let position = 0;
  const placeOthers = (until: number) => {
    while (otherPositions.length < until) otherPositions.push(position++);
  };
  for (const key of keysOf(edges, granularity, calendar)) {
    const partner = places.get(key) ?? -1;
    // Clocks that were set back by different spans would have pairs cross: the later one stays without a partner.
    if (partner >= otherPositions.length) {
      placeOthers(partner);
      otherPositions.push(position);
    }
    positions.push(position++);
  }
  placeOthers(otherKeys.length);
  return [positions, otherPositions];
}

/** More than a clock shows the same time of the same day. */
const MOST_REPEATS = 100;

/** What tells the buckets of a period apart, and is equal for partners. */
function keysOf(edges: readonly number[], granularity: Granularity, { timeZone }: Calendar): number[] {
  const step = clockStepOf(granularity) ?? (granularity === "day" ? DAY_MS : undefined);
  const starts = edges.slice(0, -1);
  if (step === undefined) return starts.map((_, bucket) => bucket);
  const offsets = offsetsWithin({ start: edges[0]!, end: edges.at(-1)! }, timeZone);
  const first = Math.floor(wallStart(edges[0]!, timeZone) / step);
  const seen = new Map<number, number>();
  let at = 0;
  return starts.map((start) => {
    while (start >= offsets[at]!.end) at++;
    const place = Math.floor((start + offsets[at]!.offsetMs) / step) - first;
    const nth = offsets.length === 1 ? 1 : (seen.get(place) ?? 0) + 1;
    if (offsets.length > 1) seen.set(place, nth);
    return place * MOST_REPEATS + nth;
  });
}
