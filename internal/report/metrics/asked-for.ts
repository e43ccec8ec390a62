import { InvalidInput } from "../errors.ts";
import { firstRepeated } from "../repeated.ts";
import { SERIES_NAMES, type SeriesName } from "./registry.ts";

/** The metrics of a request: all when it names none. @throws InvalidInput on "metrics" for one named twice. */
export function namesAskedFor(metrics: readonly SeriesName[] = []): readonly SeriesName[] {
  if (metrics.length === 0) return SERIES_NAMES;
  const twice = firstRepeated(metrics);
  if (twice !== undefined) throw new InvalidInput("metrics", twice, "is asked for twice");
  return metrics;
}
