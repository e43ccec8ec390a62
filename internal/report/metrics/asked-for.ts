import { InvalidInput } from "../errors.ts";
import { SERIES_NAMES, type SeriesName } from "./registry.ts";

/** The metrics of a request: all when it names none. @throws InvalidInput on "metrics" for one named twice. */
export function namesAskedFor(metrics: readonly SeriesName[] = []): readonly SeriesName[] {
  if (metrics.length === 0) return SERIES_NAMES;
  const twice = metrics.find((name, index) => metrics.indexOf(name) !== index);
  if (twice !== undefined) throw new InvalidInput("metrics", twice, "is asked for twice");
  return metrics;
}
