import { partitionOf } from "../event/partition.ts";
import { type RetryLimits, readWithRetry } from "../query/run/read-with-retry.ts";
import type { ChooseSample } from "../store/breakdown/sample.ts";
import type { Freshness } from "../store/freshness.ts";
import type { Pool } from "../store/pool.ts";
import { readReport } from "../store/report/read-report.ts";
import { readLimitsOf } from "../store/snapshot.ts";
import { namesAskedFor } from "./metrics/asked-for.ts";
import type { Unit } from "./metrics/metric.ts";
import { METRICS, type SeriesName } from "./metrics/registry.ts";
import { planReport } from "./plan/plan.ts";
import { bucketEdges, type Granularity } from "./time/edges.ts";
import { type DateRange, spanOf, type TimeRange } from "./time/range.ts";
import { timeZoneNamed } from "./time/zone.ts";

export interface GetReportDeps extends RetryLimits {
  readonly pool: Pool;
  /** How many partitions the installation has. */
  readonly partitions: number;
  /**
   * The sample of visitors that distinct counts of a breakdown over so many events are estimated from, where the merchant
   * has rollups. Default: they are counted.
   */
  readonly sampleFor?: ChooseSample;
}

export interface Merchant {
  readonly merchantId: number;
  /** IANA name. */
  readonly timeZone: string;
  /** ISO 4217 code. */
  readonly currency: string;
  /** From when on its reports may use rollups, epoch milliseconds, a UTC midnight; absent or null: never. */
  readonly rollupsReadyFrom?: number | null | undefined;
}

export interface ReportRequest {
  readonly range: DateRange | TimeRange;
  /** Default: the merchant's. */
  readonly timeZone?: string | undefined;
  /** Default: day. */
  readonly granularity?: Granularity | undefined;
  /** Default, also when empty: all. */
  readonly metrics?: readonly SeriesName[] | undefined;
  /** Default: people's events alone. */
  readonly includeBots?: boolean | undefined;
  /** Counts exactly, however long that takes. Default: what takes long is estimated. */
  readonly exact?: boolean | undefined;
}

export interface Series {
  readonly metric: SeriesName;
  readonly unit: Unit;
  /** values[i] belongs to bucket i. */
  readonly values: readonly bigint[];
  readonly total: bigint;
  /** Of values and total, relative to them; 0 or absent for exact numbers. */
  readonly standardError?: number;
}

export interface Report extends Omit<Merchant, "rollupsReadyFrom">, Freshness {
  readonly granularity: Granularity;
  /** Bucket i is [edges[i], edges[i + 1]); epoch milliseconds. */
  readonly edges: readonly number[];
  /** In the order asked for. */
  readonly series: readonly Series[];
  /** Orders and refunds in the span whose amount is not in revenue. */
  readonly unconvertedOrders: bigint;
}

/**
 * A merchant's metrics over time. `timeZone` of the answer is the one that was used.
 *
 * @throws InvalidInput naming the field; Failure "unavailable" when the database is away, "precondition" when a
 * statement took longer than it may.
 */
export async function getReport(
  deps: GetReportDeps,
  merchant: Merchant,
  request: ReportRequest,
): Promise<Report> {
  const { granularity = "day" } = request;
  const { merchantId, currency } = merchant;
  const timeZone = timeZoneNamed(request.timeZone ?? merchant.timeZone);
  const edges = bucketEdges(spanOf(request.range, timeZone), timeZone, granularity);
  const names = namesAskedFor(request.metrics);
  const query = {
    merchantId,
    partitionId: partitionOf(merchantId, deps.partitions),
    edges,
    statements: planReport(edges, [...names, "unconverted_orders"], merchant.rollupsReadyFrom ?? undefined),
    includeBots: request.includeBots,
    ...readLimitsOf(deps),
  };
  const { columns, ...freshness } = await readWithRetry(deps, () => readReport(deps.pool, query));
  const series = names.map((metric) => ({
    metric,
    unit: METRICS[metric].unit,
    ...columns.get(metric)!,
  }));
  const unconvertedOrders = columns.get("unconverted_orders")!.total;
  return { merchantId, timeZone, granularity, currency, edges, series, ...freshness, unconvertedOrders };
}
