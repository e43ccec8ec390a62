import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { askReport, queryClient } from "../client/ask/ask.ts";
import type { Report } from "../client/report.ts";
import { Granularity, type PeriodSchema } from "../gen/footfall/query/v1/period_pb.js";
import { RunReportRequestSchema } from "../gen/footfall/query/v1/report_pb.js";
import type { CreatedMerchant } from "../store/merchants.ts";

export type Question = MessageInitShape<typeof RunReportRequestSchema>;
export type Period = MessageInitShape<typeof PeriodSchema>;

/** For each answer, ms. */
const TIMEOUT_MS = 30_000;

/** Asks the query service for merchants' reports, as a merchant's own program would. */
export class Reports {
  readonly #url: string;
  readonly #clients = new Map<CreatedMerchant, ReturnType<typeof queryClient>>();

  /** @param url address of the query service. */
  constructor(url: string) {
    this.#url = url;
  }

  /** @param limit most rows; undefined: as many as the service answers without being told. */
  get(merchant: CreatedMerchant, question: Question, limit?: number): Promise<Report> {
    return askReport(this.#clientOf(merchant), create(RunReportRequestSchema, question), limit);
  }

  /** What a merchant's reports are sure to hold: all that was acked before; ms since 1970-01-01 UTC. */
  async dataThrough(merchant: CreatedMerchant): Promise<number> {
    const period = { unit: Granularity.MINUTE, count: 1, includeCurrent: false };
    const { info } = await this.get(merchant, {
      period: { span: { case: "relative", value: period } },
      metrics: ["events"],
    });
    return info.dataThroughTime === undefined ? 0 : timestampMs(info.dataThroughTime);
  }

  #clientOf(merchant: CreatedMerchant): ReturnType<typeof queryClient> {
    const { readKey } = merchant;
    const client =
      this.#clients.get(merchant) ?? queryClient({ url: this.#url, readKey, timeoutMs: TIMEOUT_MS });
    this.#clients.set(merchant, client);
    return client;
  }
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
