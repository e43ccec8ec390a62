import { partitionOf } from "../event/partition.ts";
import { readWithRetry } from "../query/run/read-with-retry.ts";
import type { BreakdownQuery, StandardErrors } from "../store/breakdown/query.ts";
import { canSample, readBreakdown } from "../store/breakdown/read-breakdown.ts";
import type { Factor } from "../store/breakdown/sample.ts";
import type { Freshness } from "../store/freshness.ts";
import { readLimitsOf } from "../store/snapshot.ts";
import { type BreakdownMetric, planBreakdown, unitOf } from "./breakdown/plan.ts";
import type { DimensionName } from "./dimensions/registry.ts";
import { InvalidInput } from "./errors.ts";
import type { GetReportDeps, Merchant, ReportRequest, Series } from "./get-report.ts";
import { countRollupEvents } from "./rollup-events.ts";
import { spanOf } from "./time/range.ts";
import { timeZoneNamed } from "./time/zone.ts";

export interface BreakdownRequest
  extends Pick<ReportRequest, "range" | "timeZone" | "includeBots" | "exact"> {
  readonly dimension: DimensionName;
  /** The first one orders the values. Default, also when empty: all that the dimension has. */
  readonly metrics?: readonly BreakdownMetric[] | undefined;
  /** Most values to answer. Default: 10. */
  readonly limit?: number | undefined;
}

/** values[i] belongs to the i-th value of the dimension. */
export interface BreakdownSeries extends Omit<Series, "metric" | "standardError"> {
  readonly metric: BreakdownMetric;
  /** Of the total, relative to it; 0 or absent where it is exact. */
  readonly standardError?: number;
  /** Of each value, relative to it; absent: they are exact. */
  readonly standardErrors?: readonly number[];
}

export interface Breakdown extends Merchant, Freshness {
  readonly dimension: DimensionName;
  /** By the first metric, largest first; "" stands for the events without a value. */
  readonly values: readonly string[];
  /** In the order asked for; totals are over all values, answered or not. */
  readonly series: readonly BreakdownSeries[];
  /** How many different values the span has. */
  readonly valuesFound: bigint;
}

const LIMIT = { usual: 10, most: 1_000 };

/**
 * A merchant's metrics over a span by the values of a dimension. Different visitors and sessions of very many events
 * are estimated where that is quicker, unless the request is `exact`; all else is counted.
 *
 * @throws InvalidInput naming the field; Failure "unavailable" when the database is away, "precondition" when the
 * statement took longer than it may.
 */
export async function getBreakdown(
  deps: GetReportDeps,
  merchant: Merchant,
  request: BreakdownRequest,
): Promise<Breakdown> {
  const { merchantId, currency } = merchant;
  const { dimension, limit = LIMIT.usual } = request;
  if (limit < 1 || limit > LIMIT.most) {
    throw new InvalidInput("limit", limit, `is outside of 1 to ${LIMIT.most}`);
  }
  const timeZone = timeZoneNamed(request.timeZone ?? merchant.timeZone);
  const { names, ...plan } = planBreakdown(dimension, request.metrics);
  const span = spanOf(request.range, timeZone);
  const query = {
    ...span,
    merchantId,
    partitionId: partitionOf(merchantId, deps.partitions),
    ...plan,
    limit,
    includeBots: request.includeBots,
    factor: request.exact ? undefined : await sampleOf(deps, merchant, { ...span, ...plan }),
    ...readLimitsOf(deps),
  };
  const read = () => readBreakdown(deps.pool, query);
  const { values, counts, totals, standardErrors, ...rest } = await readWithRetry(deps, read);
  const series = names.map((metric, index) => ({
    metric,
    unit: unitOf(metric),
    values: counts[index]!,
    total: totals[index]!,
    ...errorsOf(standardErrors[index]),
  }));
  return {
    merchantId,
    timeZone,
    currency,
    dimension,
    values: values.map((value) => value ?? ""),
    series,
    ...rest,
  };
}

function errorsOf(errors: StandardErrors | undefined) {
  return errors === undefined ? {} : { standardError: errors.total, standardErrors: errors.values };
}

/** The sample that different keys are estimated from, if the merchant has rollups and many events in the span. */
async function sampleOf(
  deps: GetReportDeps,
  merchant: Merchant,
  asked: Pick<BreakdownQuery, "start" | "end" | "source" | "rollup" | "columns">,
): Promise<Factor | undefined> {
  const { sampleFor } = deps;
  if (sampleFor === undefined || !canSample(asked)) return undefined;
  const events = await countRollupEvents(deps, merchant, asked);
  return events === undefined
    ? undefined
    : sampleFor(events, asked.rollup?.visits === undefined ? "rows" : "visits");
}
