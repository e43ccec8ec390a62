import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  type GetReportResponse,
  Granularity,
  Metric,
  QueryService,
} from "../../internal/gen/footfall/report/v1/report_pb.js";
import { withRetry } from "../../internal/lifecycle/retry.ts";
import type { CreatedMerchant } from "../../internal/store/merchants.ts";
import type { Totals } from "./ack-ledger.ts";
import { LATEST_DAYS } from "./traffic.ts";

const METRICS: Readonly<Record<keyof Totals, Metric>> = {
  events: Metric.EVENTS,
  pageViews: Metric.PAGE_VIEWS,
  orders: Metric.ORDERS,
  revenueMicros: Metric.REVENUE,
};

const DAY_MS = 86_400_000;
const TRY_MS = 5_000;
const AGAIN = { firstMs: 200, longestMs: 400 };

/** Asks the query service as a merchant's own program would, again when it does not answer. */
export class Reports {
  readonly #client: Client<typeof QueryService>;

  constructor(url: string) {
    this.#client = createClient(QueryService, createGrpcTransport({ baseUrl: url }));
  }

  /**
   * A merchant's totals over all days that its events may lie on.
   * @throws the last error when there is no answer within `timeoutMs`.
   */
  async totals(merchant: CreatedMerchant, timeoutMs: number): Promise<Totals> {
    return totalsOf(await this.#inTries(merchant, Object.values(METRICS), timeoutMs));
  }

  /** How many events a merchant has, by the report that asks for nothing else. @throws as totals does. */
  async events(merchant: CreatedMerchant, timeoutMs: number): Promise<number> {
    return total(await this.#inTries(merchant, [Metric.EVENTS], timeoutMs), Metric.EVENTS);
  }

  #inTries(merchant: CreatedMerchant, metrics: Metric[], timeoutMs: number) {
    return withRetry(() => this.#ask(merchant, metrics), { ...AGAIN, withinMs: timeoutMs });
  }

  #ask({ readKey }: CreatedMerchant, metrics: Metric[]): Promise<GetReportResponse> {
    const day = (offset: number) => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
    const value = { start: day(-LATEST_DAYS - 2), end: day(2) };
    return this.#client.getReport(
      {
        range: { case: "dates", value },
        timeZone: "UTC",
        granularity: Granularity.DAY,
        metrics,
        // A hostile client looks like none of a person's.
        includeBots: true,
      },
      { headers: { authorization: `Bearer ${readKey}` }, timeoutMs: TRY_MS },
    );
  }
}

function totalsOf(report: GetReportResponse): Totals {
  return {
    events: total(report, METRICS.events),
    pageViews: total(report, METRICS.pageViews),
    orders: total(report, METRICS.orders),
    revenueMicros: total(report, METRICS.revenueMicros),
  };
}

/** @throws when the days do not add up to the total. */
function total({ series }: GetReportResponse, metric: Metric): number {
  const one = series.find((candidate) => candidate.metric === metric)!;
  const sum = one.values.reduce((a, b) => a + b, 0n);
  if (sum !== one.total)
    throw new Error(`${Metric[metric]}: days add up to ${sum}, the total is ${one.total}`);
  return Number(one.total);
}
