import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { askFunnel, askReport, queryClient } from "../client/ask/ask.ts";
import type { Report } from "../client/report.ts";
import { Failure } from "../failure/failure.ts";
import { RunFunnelRequestSchema } from "../gen/footfall/query/v1/funnel_pb.js";
import { Granularity, type PeriodSchema } from "../gen/footfall/query/v1/period_pb.js";
import { RunReportRequestSchema } from "../gen/footfall/query/v1/report_pb.js";
import { withRetry } from "../lifecycle/retry.ts";
import type { CreatedMerchant } from "../store/merchants.ts";
import { PATIENCE_MS } from "./patience.ts";

export type Question = MessageInitShape<typeof RunReportRequestSchema>;
export type Period = MessageInitShape<typeof PeriodSchema>;

export type Funnel = MessageInitShape<typeof RunFunnelRequestSchema>;

const PAUSES = { firstMs: 250, longestMs: 2_000, withinMs: PATIENCE_MS, isRetryable: isLate };

/** Asks the query service for merchants' reports, as a merchant's own program would. */
export class Reports {
  readonly #url: string;
  readonly #clients = new Map<CreatedMerchant, ReturnType<typeof queryClient>>();

  /** @param url address of the query service. */
  constructor(url: string) {
    this.#url = url;
  }

  /**
   * Asks until there is an answer, or patience ends: the embedded database does one statement at a time, and may be
   * late with all.
   * @param limit most rows; undefined: as many as the service answers without being told.
   */
  get(merchant: CreatedMerchant, question: Question, limit?: number): Promise<Report> {
    return withRetry(() => this.#ask(merchant, question, limit), PAUSES);
  }

  /** A funnel, as get. */
  funnel(merchant: CreatedMerchant, question: Funnel): Promise<Report> {
    const request = create(RunFunnelRequestSchema, question);
    return withRetry(() => askFunnel(this.#clientOf(merchant), request), PAUSES);
  }

  /** What a merchant's reports are sure to hold: all that was acked before; ms since 1970-01-01 UTC. Asks once. */
  async dataThrough(merchant: CreatedMerchant): Promise<number> {
    const period = { unit: Granularity.MINUTE, count: 1, includeCurrent: false };
    const { info } = await this.#ask(merchant, {
      period: { span: { case: "relative", value: period } },
      metrics: ["events"],
    });
    return info.dataThroughTime === undefined ? 0 : timestampMs(info.dataThroughTime);
  }

  #ask(merchant: CreatedMerchant, question: Question, limit?: number): Promise<Report> {
    return askReport(this.#clientOf(merchant), create(RunReportRequestSchema, question), limit);
  }

  #clientOf(merchant: CreatedMerchant): ReturnType<typeof queryClient> {
    const { readKey } = merchant;
    const client =
      this.#clients.get(merchant) ?? queryClient({ url: this.#url, readKey, timeoutMs: PATIENCE_MS });
    this.#clients.set(merchant, client);
    return client;
  }
}

function isLate(error: unknown): boolean {
  return error instanceof Failure && (error.kind === "deadline" || error.kind === "unavailable");
}

/** From one instant to another, ms since 1970-01-01 UTC. */
export function between(start: number, end: number): Period {
  const value = { startTime: timestampFromMs(start), endTime: timestampFromMs(end) };
  return { span: { case: "times", value } };
}

/** Whole days that hold two instants, ms since 1970-01-01 UTC. */
export function utcDays(first: number, last: number): Period {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  return { span: { case: "dates", value: { startDate: day(first), endDate: day(last) } } };
}
