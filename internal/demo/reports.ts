import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  type GetBreakdownRequestSchema,
  type GetBreakdownResponse,
  type GetGoalReportRequestSchema,
  type GetGoalReportResponse,
  type GetReportRequestSchema,
  type GetReportResponse,
  Granularity,
  Metric,
  QueryService,
} from "../gen/footfall/report/v1/report_pb.js";
import type { CreatedMerchant } from "../store/merchants.ts";

export type ReportRequest = MessageInitShape<typeof GetReportRequestSchema>;
export type BreakdownRequest = MessageInitShape<typeof GetBreakdownRequestSchema>;
export type GoalReportRequest = MessageInitShape<typeof GetGoalReportRequestSchema>;
export type Range = NonNullable<ReportRequest["range"]>;

/** Asks the query service for merchants' reports, as a merchant's own program would. */
export class Reports {
  readonly #client: Client<typeof QueryService>;

  /** @param url address of the query service. */
  constructor(url: string) {
    this.#client = createClient(QueryService, createGrpcTransport({ baseUrl: url }));
  }

  get({ readKey }: CreatedMerchant, request: ReportRequest): Promise<GetReportResponse> {
    return this.#client.getReport(request, { headers: { authorization: `Bearer ${readKey}` } });
  }

  breakdown({ readKey }: CreatedMerchant, request: BreakdownRequest): Promise<GetBreakdownResponse> {
    return this.#client.getBreakdown(request, { headers: { authorization: `Bearer ${readKey}` } });
  }

  goals({ readKey }: CreatedMerchant, request: GoalReportRequest): Promise<GetGoalReportResponse> {
    return this.#client.getGoalReport(request, { headers: { authorization: `Bearer ${readKey}` } });
  }

  /** What a merchant's reports are sure to hold: all that was acked before; ms since 1970-01-01 UTC. */
  async dataThrough(merchant: CreatedMerchant): Promise<number> {
    const now = Math.floor(Date.now() / 60_000) * 60_000;
    const { dataThrough } = await this.get(merchant, {
      range: minutes(now - 60_000, now),
      granularity: Granularity.MINUTE,
      metrics: [Metric.EVENTS],
    });
    return dataThrough === undefined ? 0 : timestampMs(dataThrough);
  }
}

/** A range between two instants, ms since 1970-01-01 UTC. */
export function minutes(start: number, end: number): Range {
  return { case: "times", value: { start: timestampFromMs(start), end: timestampFromMs(end) } };
}

/** A range of whole UTC days that holds two instants, ms since 1970-01-01 UTC. */
export function utcDays(first: number, last: number): Range {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return { case: "dates", value: { start: day(first), end: day(last) } };
}

/** A metric's total in a report. */
export function totalOf(report: GetReportResponse, metric: Metric): number {
  return Number(report.series.find((series) => series.metric === metric)?.total ?? 0n);
}

/** A metric's value in each bucket of a report. */
export function valuesOf(report: GetReportResponse, metric: Metric): number[] {
  return (report.series.find((series) => series.metric === metric)?.values ?? []).map(Number);
}
