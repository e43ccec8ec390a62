import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  type GetReportResponse,
  Granularity,
  Metric,
  QueryService,
} from "../gen/footfall/query/v1/query_pb.js";
import type { CreatedMerchant } from "../store/merchants.ts";
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
const PAUSE_MS = 200;

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
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      try {
        return totalsOf(await this.#ask(merchant));
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      await sleep(PAUSE_MS);
    }
  }

  #ask({ readKey }: CreatedMerchant): Promise<GetReportResponse> {
    const day = (offset: number) => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
    const value = { start: day(-LATEST_DAYS - 2), end: day(2) };
    return this.#client.getReport(
      {
        range: { case: "dates", value },
        timeZone: "UTC",
        granularity: Granularity.DAY,
        metrics: Object.values(METRICS),
      },
      { headers: { authorization: `Bearer ${readKey}` }, timeoutMs: TRY_MS },
    );
  }
}

/** @throws when the days do not add up to the total. */
function totalsOf({ series }: GetReportResponse): Totals {
  const total = (metric: Metric) => {
    const one = series.find((candidate) => candidate.metric === metric)!;
    const sum = one.values.reduce((a, b) => a + b, 0n);
    if (sum !== one.total)
      throw new Error(`${Metric[metric]}: days add up to ${sum}, the total is ${one.total}`);
    return Number(one.total);
  };
  return {
    events: total(METRICS.events),
    pageViews: total(METRICS.pageViews),
    orders: total(METRICS.orders),
    revenueMicros: total(METRICS.revenueMicros),
  };
}
