import { setTimeout as sleep } from "node:timers/promises";
import { partitionOf } from "../event/partition.ts";
import { Failure } from "../failure/failure.ts";
import type { Pool } from "../store/pool.ts";
import { type ReportData, type ReportQuery, readReport } from "../store/report/read-report.ts";
import { refusalOf } from "../store/report/refusal.ts";
import { InvalidInput } from "./errors.ts";
import type { Unit } from "./metrics/metric.ts";
import { METRICS, SERIES_NAMES, type SeriesName } from "./metrics/registry.ts";
import { planReport } from "./plan/plan.ts";
import { bucketEdges, type Granularity } from "./time/edges.ts";
import { type DateRange, spanOf, type TimeRange } from "./time/range.ts";
import { timeZoneNamed } from "./time/zone.ts";

/** Pause between two tries while the database is away, milliseconds. */
const AWAY_RETRY_MS = 200;

export interface GetReportDeps {
  readonly pool: Pool;
  /** How many partitions the installation has. */
  readonly partitions: number;
  /** For each SQL statement, milliseconds. */
  readonly statementTimeoutMs: number;
  /** How long a report waits for a database that is away, milliseconds. Default 0. */
  readonly databaseWaitMs?: number;
}

export interface Merchant {
  readonly merchantId: number;
  /** IANA name. */
  readonly timeZone: string;
  /** ISO 4217 code. */
  readonly currency: string;
}

export interface ReportRequest {
  readonly range: DateRange | TimeRange;
  /** Default: the merchant's. */
  readonly timeZone?: string | undefined;
  /** Default: day. */
  readonly granularity?: Granularity | undefined;
  /** Default, also when empty: all. */
  readonly metrics?: readonly SeriesName[] | undefined;
}

export interface Series {
  readonly metric: SeriesName;
  readonly unit: Unit;
  /** values[i] belongs to bucket i. */
  readonly values: readonly bigint[];
  readonly total: bigint;
}

export interface Report extends Merchant {
  readonly granularity: Granularity;
  /** Bucket i is [edges[i], edges[i + 1]); epoch milliseconds. */
  readonly edges: readonly number[];
  /** In the order asked for. */
  readonly series: readonly Series[];
  /** Epoch milliseconds; undefined: nothing was processed yet. */
  readonly dataThrough: number | undefined;
  /** Orders in the span whose revenue is not in revenue. */
  readonly unconvertedOrders: bigint;
}

/**
 * A merchant's metrics over time. `timeZone` of the answer is the one that was used.
 *
 * @throws InvalidInput naming the field; Failure "unavailable" when the database is away, "exhausted" when a
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
  const { columns, dataThrough } = await whenBack(deps, {
    merchantId,
    partitionId: partitionOf(merchantId, deps.partitions),
    edges,
    statements: planReport(edges, [...names, "unconverted_orders"]),
    statementTimeoutMs: deps.statementTimeoutMs,
  });
  const series = names.map((metric) => ({
    metric,
    unit: METRICS[metric].unit,
    ...columns.get(metric)!,
  }));
  const unconvertedOrders = columns.get("unconverted_orders")!.total;
  return { merchantId, timeZone, granularity, currency, edges, series, dataThrough, unconvertedOrders };
}

/** Reads, and while the database is away, as when it restarts, tries again: reading twice does no harm. */
async function whenBack(
  { pool, databaseWaitMs = 0 }: GetReportDeps,
  query: ReportQuery,
): Promise<ReportData> {
  const deadline = performance.now() + databaseWaitMs;
  for (;;) {
    try {
      return await read(pool, query);
    } catch (error) {
      const away = error instanceof Failure && error.kind === "unavailable";
      if (!away || performance.now() + AWAY_RETRY_MS > deadline) throw error;
      await sleep(AWAY_RETRY_MS);
    }
  }
}

async function read(pool: Pool, query: ReportQuery): Promise<ReportData> {
  try {
    return await readReport(pool, query);
  } catch (cause) {
    switch (refusalOf(cause)) {
      case "away":
        throw new Failure("unavailable", "the database is away", { cause, retryAfterMs: 1_000 });
      case "too_slow": {
        const limit = `a statement of the report took longer than ${query.statementTimeoutMs} ms`;
        throw new Failure("exhausted", `${limit}: ask for a shorter range or fewer metrics`, { cause });
      }
      case undefined:
        throw cause;
    }
  }
}

function namesAskedFor(metrics: readonly SeriesName[] = []): readonly SeriesName[] {
  if (metrics.length === 0) return SERIES_NAMES;
  const twice = metrics.find((name, index) => metrics.indexOf(name) !== index);
  if (twice !== undefined) throw new InvalidInput("metrics", twice, "is asked for twice");
  return metrics;
}
